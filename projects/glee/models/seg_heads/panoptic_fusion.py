"""Queries of a things-and-stuff vocabulary to panoptic and semantic maps (Mask DINO's rule)."""
import torch
import torch.nn.functional as F
from mmdet.evaluation.functional import INSTANCE_OFFSET
from torch import Tensor


def sharpen(probs: Tensor, temperature: float | None) -> Tensor:
    """Softmax over the names of sigmoid scores (Q, C) / ``temperature``; None leaves them."""
    return probs if temperature is None else F.softmax(probs / temperature, -1)


class PanopticFusion:
    """Each pixel goes to the query with the largest score x mask probability; the masks come in bands of rows.

    Queries below ``score_thr`` take no part. A segment survives if at least ``overlap_thr`` of its own
    mask (probability >= 0.5) is left to it. Pieces of one stuff name are one segment.

    Args:
        probs (Tensor): (Q, C) sigmoid scores, the names of things first.
        num_things (int): how many names are things.
        size (tuple[int, int]): H, W of the image.
        score_thr, overlap_thr (float): see above.
        temperature (float | None): see :func:`sharpen`.
    """

    def __init__(self, probs: Tensor, num_things: int, size: tuple[int, int], score_thr: float = 0.25,
                 overlap_thr: float = 0.8, temperature: float | None = None) -> None:
        self.num_things = num_things
        self.overlap_thr = overlap_thr
        self.num_names = probs.shape[1]
        self.kept = probs.amax(-1) > score_thr
        self.scores, self.labels = sharpen(probs[self.kept], temperature).max(-1)
        self._winner = torch.zeros(size, dtype=torch.long, device=probs.device)  # from 1; 0: nobody
        self._areas = torch.zeros_like(self.labels)

    def add(self, rows: slice, mask_probs: Tensor) -> None:
        """Some rows of the masks of all queries, (Q, rows, W)."""
        masks = mask_probs[self.kept]
        if len(masks):
            winner = (self.scores[:, None, None] * masks).argmax(0)
            claimed = masks.gather(0, winner[None])[0] >= 0.5
            self._winner[rows] = (winner + 1).where(claimed, 0)
            self._areas += (masks >= 0.5).sum((1, 2))

    def result(self) -> tuple[Tensor, list[dict]]:
        """The map and its segments.

        Returns:
            tuple: map (H, W) Long of label + segment number x INSTANCE_OFFSET, C where nothing is (mmdet's
            encoding), and per segment dict(id, label, is_thing, score, area px).
        """
        visible = self._winner.flatten().bincount(minlength=len(self.scores) + 1)[1:]
        ids, segments, stuff = [self.num_names], [], {}
        for score, label, area, whole in zip(*(
                values.tolist() for values in (self.scores, self.labels, visible, self._areas))):
            if not area or area / whole < self.overlap_thr:
                ids.append(self.num_names)
                continue
            segment = stuff.get(label)
            if segment is None:
                is_thing = label < self.num_things
                # numbers from 1: a file stores 0 as nothing
                segment = dict(id=label + INSTANCE_OFFSET * (len(segments) + 1), label=label, is_thing=is_thing,
                               score=score, area=0)
                segments.append(segment)
                if not is_thing:
                    stuff[label] = segment
            segment.update(area=segment['area'] + area, score=max(segment['score'], score))
            ids.append(segment['id'])
        return torch.tensor(ids, device=self._winner.device)[self._winner], segments


def fuse_semantic(probs: Tensor, mask_probs: Tensor, temperature: float | None = None) -> Tensor:
    """Label (H, W) Long with the largest sum over queries of score (Q, C) x mask probability (Q, H, W)."""
    return torch.einsum('qc,qhw->chw', sharpen(probs, temperature), mask_probs).argmax(0)

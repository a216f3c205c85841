"""Queries of a things-and-stuff vocabulary to panoptic and semantic maps (Mask DINO's rule)."""
import torch
import torch.nn.functional as F
from mmdet.evaluation.functional import INSTANCE_OFFSET
from torch import Tensor


def sharpen(probs: Tensor, temperature: float | None) -> Tensor:
    """Softmax over the names of sigmoid scores (Q, C) / ``temperature``; None leaves them."""
    return probs if temperature is None else F.softmax(probs / temperature, -1)


def fuse_panoptic(probs: Tensor, mask_probs: Tensor, num_things: int, score_thr: float = 0.25,
                  overlap_thr: float = 0.8, temperature: float | None = None) -> tuple[Tensor, list[dict]]:
    """Each pixel goes to the query with the largest score x mask probability.

    Queries below ``score_thr`` take no part. A segment survives if at least ``overlap_thr`` of its own
    mask (probability >= 0.5) is left to it. Pieces of one stuff name are one segment.

    Args:
        probs (Tensor): (Q, C) sigmoid scores, the names of things first.
        mask_probs (Tensor): (Q, H, W).
        num_things (int): how many names are things.
        score_thr, overlap_thr, temperature: see above and :func:`sharpen`.

    Returns:
        tuple: map (H, W) Long of label + segment number x INSTANCE_OFFSET, C where nothing is (mmdet's
        encoding), and per segment dict(id, label, is_thing, score, area px).
    """
    kept = probs.amax(-1) > score_thr
    scores, labels = sharpen(probs[kept], temperature).max(-1)
    masks = mask_probs[kept]
    panoptic = torch.full(mask_probs.shape[1:], probs.shape[1], dtype=torch.long, device=probs.device)
    segments: list[dict] = []
    if not len(masks):
        return panoptic, segments
    winner = (scores[:, None, None] * masks).argmax(0)
    stuff_id: dict[int, int] = {}
    for query, (score, label) in enumerate(zip(scores.tolist(), labels.tolist())):
        whole = masks[query] >= 0.5
        visible = (winner == query) & whole
        area, whole_area = int(visible.sum()), int(whole.sum())
        if not area or area / whole_area < overlap_thr:
            continue
        if label in stuff_id:
            panoptic[visible] = stuff_id[label]
            known = next(segment for segment in segments if segment['id'] == stuff_id[label])
            known.update(area=known['area'] + area, score=max(known['score'], score))
            continue
        is_thing = label < num_things
        # numbers from 1: a file stores 0 as nothing
        number = label + INSTANCE_OFFSET * (len(segments) + 1)
        if not is_thing:
            stuff_id[label] = number
        panoptic[visible] = number
        segments.append(dict(id=number, label=label, is_thing=is_thing, score=score, area=area))
    return panoptic, segments


def fuse_semantic(probs: Tensor, mask_probs: Tensor, temperature: float | None = None) -> Tensor:
    """Label (H, W) Long with the largest sum over queries of score (Q, C) x mask probability (Q, H, W)."""
    return torch.einsum('qc,qhw->chw', sharpen(probs, temperature), mask_probs).argmax(0)

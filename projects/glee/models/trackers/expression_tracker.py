"""Following the object of an expression by temporal similarity."""
from typing import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from ...structures.selected_queries import SelectedQueries
from ...structures.track import Track, encode_mask
from ..seg_heads.glee_fusion_head import resize_logits
from .base_tracker import GLEETracker
from .object_merge import ObjectMerge

BACKGROUND = dict(threshold=0.1, product='product')  # what background claims, by the rule of ownership


@MODELS.register_module()
class ExpressionTracker(GLEETracker):
    """Picks in every frame the query that fits the expression and resembles the previous choice.

    A query's fitness is the sigmoid of its expression score plus ``temporal_weight`` times the cosine
    of its embedding with the one chosen in the previous frame (DESIGN section 5, 'Tracking'). Every
    expression of the video is followed on its own, and masks may overlap; ``owned`` of the tracks has each pixel at
    most once, as Ref-DAVIS17's result files want it. Memory: one embedding per expression.

    Args:
        temporal_weight (float): weight of the cosine; 0 treats frames as independent images.
        min_score (float): below this expression score the object counts as absent: no mask, and the
            embedding to compare with stays the last confident one.
        owner (str): which of the expressions that claim a pixel owns it, by the probabilities p of their masks:
            'threshold', the largest p that is at least 0.5 (ReferFormer's rule); or 'product', the largest p, if it
            exceeds the product of all 1 - p (UNINEXT's), which may be less than 0.5. Of equal ones the first.

    Raises:
        ValueError: another ``owner``.
    """

    def __init__(self, temporal_weight: float = 1.0, min_score: float = 0.0, owner: str = 'threshold') -> None:
        if owner not in BACKGROUND:
            raise ValueError(f'ExpressionTracker got owner={owner!r}; choose from {tuple(BACKGROUND)}')
        self.temporal_weight = temporal_weight
        self.min_score = min_score
        self.owner = owner
        self.start()

    def start(self) -> None:
        """Forget the previous video."""
        self.previous: list[Tensor | None] = []
        self.tracks: list[Track] = []
        self.last_scores: list[float] = []
        self.num_frames = 0

    def update(self, detector, inputs: Tensor, data_samples: Sequence[DetDataSample]) -> None:
        """Follow every expression through a window of frames; the backbone runs once."""
        expressions, outputs = self.decode_expressions(detector, inputs, data_samples)
        if not self.tracks:
            self.tracks = [Track(number + 1, number, 0.) for number in range(len(expressions))]
            self.previous = [None] * len(expressions)
            self.last_scores = [0.] * len(expressions)
        merges = [ObjectMerge(sample.ori_shape[:2], inputs.device, BACKGROUND[self.owner]) for sample in data_samples]
        for number, output in enumerate(outputs):
            for index, sample in enumerate(data_samples):
                logits = self._follow(number, output, index, sample, detector.panoptic_fusion_head)
                merges[index].add(self.claim(mask_probability(logits, sample.metainfo, inputs.device)))
        for merge in merges:
            for track, mask in zip(self.tracks, merge.masks()):
                track.owned.append(encode_mask(mask.cpu().numpy()))
        self.num_frames += len(inputs)

    def claim(self, probability: Tensor) -> Tensor:
        """What an expression with these mask probabilities (H, W) claims of each pixel."""
        return probability if self.owner == 'product' else probability * (probability >= 0.5)

    def _follow(self, number: int, outputs, index: int, sample: DetDataSample, fusion_head) -> Tensor | None:
        """Choose the query of expression ``number`` in frame ``index`` of the window.

        Returns:
            Tensor | None: its mask logits (h, w), None if the object is absent.
        """
        last = {key: value[index] for key, value in outputs.predictions[''].items()}
        scores = last['logits'].float()[:, 0].sigmoid()
        best = choose_query(scores, outputs.embeddings[index], self.previous[number], self.temporal_weight)
        track, score = self.tracks[number], float(scores[best])
        track.score += score
        self.last_scores[number] = score
        if score < self.min_score:
            track.segmentations.append(None)
            track.bboxes.append(None)
            return None
        self.previous[number] = outputs.embeddings[index][best]
        mask = torch.einsum('d,dhw->hw', last['mask_embeds'][best], outputs.mask_features[index])
        chosen = SelectedQueries(scores[best, None], best[None], last['boxes'][best, None])
        result = fusion_head.predict([chosen], [mask[None]], [sample])[0]['ins_results']
        rle = encode_mask(result.masks[0].cpu().numpy())
        track.segmentations.append(rle)
        track.bboxes.append(None if rle is None else result.bboxes[0].tolist())
        return mask

    def take_last(self) -> list[tuple[float, dict | None, list[float] | None]]:
        """Score, mask (RLE or None) and box of every expression in the last frame, which the tracker then forgets."""
        last = [(score, track.segmentations[-1], track.bboxes[-1])
                for score, track in zip(self.last_scores, self.tracks)]
        for track in self.tracks:
            for kept in (track.segmentations, track.bboxes, track.owned):
                kept.clear()
            track.score = 0.
        self.num_frames = 0
        return last

    def finish(self, detector) -> list[Track]:
        """One track per expression, ``label`` its index, ``score`` the mean expression score."""
        for track in self.tracks:
            track.score /= max(self.num_frames, 1)
        tracks = self.tracks
        self.start()
        return tracks


def mask_probability(logits: Tensor | None, meta: dict, device) -> Tensor:
    """Probabilities (H, W) at the original size from mask logits (h, w); 0 for an absent object, None."""
    if logits is None:
        return torch.zeros(meta['ori_shape'][:2], device=device)
    return resize_logits(
        logits[None], meta['batch_input_shape'], meta['img_shape'][:2], meta['ori_shape'][:2])[0].sigmoid()


def choose_query(scores: Tensor, embeddings: Tensor, previous: Tensor | None,
                 temporal_weight: float) -> Tensor:
    """Index of the best of Q queries.

    Args:
        scores (Tensor): (Q,) expression scores in 0..1.
        embeddings (Tensor): (Q, D).
        previous (Tensor | None): (D,) embedding chosen in the previous frame.
        temporal_weight (float): weight of the cosine with it.
    """
    if previous is not None and temporal_weight:
        scores = scores + temporal_weight * F.cosine_similarity(embeddings.float(), previous.float()[None])
    return scores.argmax()

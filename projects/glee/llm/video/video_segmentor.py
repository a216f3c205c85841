"""Reasoning segmentation of videos: frames of the whole video, a window of neighbours, a memory of masks (GLUS)."""
from typing import Optional, Sequence

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, TrackDataSample
from torch import Tensor, nn

from ...structures.masks import bounding_box
from ...structures.track import Track, encode_mask
from ..reader import Seen
from ..reasoning_segmentor import ReasoningSegmentor, to_picture
from .contrastive import ObjectContrastiveLoss
from .memory_bank import MemoryBank, VideoMemory


@MODELS.register_module()
class VideoReasoningSegmentor(ReasoningSegmentor):
    """A ``ReasoningSegmentor`` whose dialogues are about frames: context, then a question and a [SEG] per frame.

    Samples of training have, beside those of the base class, ``said`` (a ``SaidObject`` per [SEG]) where the
    contrastive loss is on, and may have ``frame_scores`` (per picture the IoU of a mask on it, or None) for [SCORE].
    The frames of a sample's [SEG] follow each other.

    Args:
        memory (dict | None): of ``MemoryBank``; None remembers nothing.
        contrastive (dict | None): of ``ObjectContrastiveLoss``.
        glee, language_model, num_objects, use_image_tokens, seg_state, ce_on, loss_weights, max_new_tokens, cached_mb:
            as of ``ReasoningSegmentor``.
    """

    def __init__(self, glee, language_model: dict, num_objects: int = 32, use_image_tokens: bool = True,
                 seg_state: str = 'predict', ce_on: str = 'seg',
                 loss_weights: dict = dict(text=1.0, bce=2.0, dice=0.5), max_new_tokens: int = 64,
                 cached_mb: int = 128, memory: Optional[dict] = dict(), contrastive: Optional[dict] = None,
                 data_preprocessor: Optional[dict] = None, init_cfg: Optional[dict] = None) -> None:
        super().__init__(glee, language_model, num_objects, use_image_tokens, seg_state, ce_on, loss_weights,
                         max_new_tokens, cached_mb, data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.key_frames = None  # a ``KeyFrameScorer``, for ``predict``
        self.memory = None if memory is None else MemoryBank(self.glee.channels, **memory)
        self.contrastive = None if contrastive is None else ObjectContrastiveLoss(**contrastive)
        width = self.language_model.width
        self.score_head = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 1))

    def sample_masks(self, embeds: Tensor, seg_pictures: Sequence[int], seen: Seen) -> list[Tensor]:
        """As the base class, frame after frame through the memory, which starts empty."""
        memory, masks = VideoMemory(self.memory, stride=1), []
        for embed, number in zip(embeds, seg_pictures):
            found = seen.objects[number]
            masks.append(to_picture(self.next_mask(embed, found.pixels.to(embed), memory)[None], found)[0])
        return masks

    @staticmethod
    def next_mask(embed: Optional[Tensor], pixels: Tensor, memory: VideoMemory) -> Tensor:
        """Mask logits (h, w) of an embedding (C,) in the next frame, which is remembered; without one all empty."""
        pixels_now = memory.read(pixels)
        if embed is None:
            mask = pixels.new_full(pixels.shape[-2:], -10.)
        else:
            mask = torch.einsum('c,chw->hw', embed, pixels_now)
        memory.write(pixels, mask)
        return mask

    def loss(self, inputs: list, data_samples: Sequence[DetDataSample]) -> dict[str, Tensor]:
        """As the base class, the contrastive loss, and the loss of [SCORE] where samples have ``frame_scores``."""
        taught = self._taught(inputs, data_samples)
        losses = self.losses_of(taught, data_samples)
        if self.contrastive is not None:
            embeds = torch.cat([one.embeds for one in taught])
            sources = [one for sample in data_samples for one in sample.said]
            losses['loss_contrastive'] = self.contrastive(embeds, sources)
        scored = [self._score_losses(one.tokens, one.states, sample.frame_scores)
                  for one, sample in zip(taught, data_samples) if 'frame_scores' in sample]
        if scored:
            losses['loss_score'] = torch.stack(scored).mean()
        return losses

    @torch.no_grad()
    def predict(self, inputs: Sequence, data_samples: Sequence) -> Sequence:
        """Of whole videos (``ShowVideo``) the samples with ``pred_tracks``, one per expression that is found anywhere;
        of dialogues as the base class."""
        from .sweep import sweep
        for frames, sample in zip(inputs, data_samples):
            if not isinstance(sample, TrackDataSample):
                super().predict([frames], [sample])
                continue
            sample.pred_tracks = []
            for label, expression in enumerate(sample[0].text):
                answers = sweep(self, frames, expression, self.key_frames).answers
                rles = [encode_mask(answer.mask) for answer in answers]
                shown = [answer.score for answer, rle in zip(answers, rles) if rle is not None]
                if shown:
                    sample.pred_tracks.append(Track(label + 1, label, sum(shown) / len(shown), rles,
                                                    [rle and corners_of(rle) for rle in rles]))
        return data_samples

    def _score_losses(self, tokens, states: Tensor, scores: Sequence[float]) -> Tensor:
        """L1 of the score of each [SCORE] of a dialogue."""
        wanted = torch.tensor(scores, device=states.device, dtype=torch.float32)
        return (self.scores(tokens.ids, states) - wanted).abs().mean()

    def scores(self, ids: Tensor, states: Tensor) -> Tensor:
        """Scores (S,) in 0..1 of the [SCORE] in a dialogue, of its states (L, D)."""
        at = (ids == self.language_model.score_id).nonzero()[:, 0].to(states.device)
        return self.score_head(states[at - 1].float())[:, 0].sigmoid()


def corners_of(rle: dict) -> list[float]:
    """Box xyxy px of a mask."""
    x, y, width, height = bounding_box(rle)
    return [x, y, x + width, y + height]

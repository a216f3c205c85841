"""Reasoning segmentation of videos: frames of the whole video, a window of neighbours, a memory of masks (GLUS)."""
from typing import Optional, Sequence

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, TrackDataSample
from torch import Tensor, nn

from ...structures.masks import bounding_box
from ...structures.track import Track, encode_mask
from ..object_encoder import PictureObjects
from ..object_readout import EMPTY, choice_losses, objects_meant, point, union_of
from ..reader import Seen
from ..reasoning_segmentor import ReasoningSegmentor, Taught, to_picture
from .contrastive import ObjectContrastiveLoss
from .frame_sampler import CONTEXT, WINDOW
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
        context (int): frames of the whole video that a dialogue begins with.
        window (int): frames asked about in a dialogue, the last of which is new. With ``context=0``, ``window=1`` and
            ``memory=None`` every frame is on its own.
        remember_truth (bool): with ``readout='objects'`` the memory holds in training the objects that are meant and
            not those that are found.
        train_stride (int): of the memory in training (``remembered``), where windows are short.
        key_frames (dict | None): how a whole video's key frame is chosen, ``kind`` and settings as of ``build_scorer``;
            None begins with its first frame.
        glee, language_model, num_objects, use_image_tokens, seg_state, ce_on, loss_weights, max_new_tokens, cached_mb,
            object_masks, readout: as of ``ReasoningSegmentor``.
    """

    def __init__(self, glee, language_model: dict, num_objects: int = 32, use_image_tokens: bool = True,
                 seg_state: str = 'predict', ce_on: str = 'seg',
                 loss_weights: dict = dict(text=1.0, bce=2.0, dice=0.5), max_new_tokens: int = 64,
                 cached_mb: int = 128, memory: Optional[dict] = dict(), contrastive: Optional[dict] = None,
                 context: int = CONTEXT, window: int = WINDOW, object_masks: bool = False, readout: str = 'pixels',
                 remember_truth: bool = False, train_stride: int = 1, key_frames: Optional[dict] = None,
                 data_preprocessor: Optional[dict] = None, init_cfg: Optional[dict] = None) -> None:
        super().__init__(glee, language_model, num_objects, use_image_tokens, seg_state, ce_on, loss_weights,
                         max_new_tokens, cached_mb, object_masks, readout, data_preprocessor, init_cfg)
        self.remember_truth, self.train_stride = remember_truth, train_stride
        self.context, self.window = context, window
        self.key_frames = None if key_frames is None else dict(key_frames)
        self.memory = None if memory is None else MemoryBank(self.glee.channels, **memory)
        self.contrastive = None if contrastive is None else ObjectContrastiveLoss(**contrastive)
        width = self.language_model.width
        self.score_head = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 1))

    def sample_masks(self, embeds: Tensor, seg_pictures: Sequence[int], seen: Seen) -> list[Tensor]:
        """As the base class, frame after frame through the memory, which starts empty."""
        memory, masks = VideoMemory(self.memory, self.train_stride), []
        for embed, number in zip(embeds, seg_pictures):
            found = seen.objects[number]
            masks.append(to_picture(self.next_mask(embed, found, memory)[None], found)[0])
        return masks

    def object_losses(self, taught: Taught, sample: DetDataSample) -> Tensor:
        """As the base class, frame after frame through the memory, which starts empty."""
        memory, losses = VideoMemory(self.memory, self.train_stride), []
        for embed, number, mask in zip(taught.embeds, sample.seg_pictures, sample.gt_masks):
            found = taught.seen.objects[number]
            shown, pixels = found.first(self.reader.num_objects), found.pixels.to(embed)
            pixels_now = memory.read(pixels)
            scores = self.scores_now(embed, shown, pixels_now - pixels)
            meant = objects_meant(torch.as_tensor(mask, device=embed.device)[None], shown)
            losses.append(choice_losses(scores[None], meant))
            memory.write(pixels, union_of(meant[0], shown).to(embed) if self.remember_truth else self.mask_now(
                embed, found, pixels_now))
        return torch.cat(losses) if losses else taught.embeds.sum(1)

    def scores_now(self, embed: Tensor, found: PictureObjects, change: Tensor) -> Tensor:
        """Scores (N,) of objects: those of the read-out, and how much the memory's ``change`` (C, h, w) of the pixel
        embeddings speaks for [SEG] in the mask of each."""
        inside = (found.masks() > 0).to(embed).flatten(1)
        evidence = inside @ (embed @ change.flatten(1)) / inside.sum(1).clamp_min(1)
        return self.object_readout(embed[None], found)[0] + evidence

    def mask_now(self, embed: Tensor, found: PictureObjects, pixels_now: Tensor) -> Tensor:
        """Mask logits (h, w) of an embedding (C,), with pixel embeddings (C, h, w) as the memory changed them."""
        if self.object_readout is not None:
            shown = found.first(self.reader.num_objects)
            scores = self.scores_now(embed, shown, pixels_now - found.pixels.to(embed))
            if self.readout == 'objects':
                return union_of(scores > 0, shown).to(embed)
            if self.readout == 'pointed':
                embed = point(embed[None], scores[None], shown)[0]
        return torch.einsum('c,chw->hw', embed, pixels_now)

    def next_mask(self, embed: Optional[Tensor], found: PictureObjects, memory: VideoMemory) -> Tensor:
        """Mask logits (h, w) of an embedding (C,) in the next frame, which is remembered; without one all empty."""
        pixels = found.pixels.to(torch.float32 if embed is None else embed.dtype)
        pixels_now = memory.read(pixels)
        mask = pixels.new_full(pixels.shape[-2:], EMPTY) if embed is None else self.mask_now(embed, found, pixels_now)
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
        """Of whole videos (``ShowVideo``) the samples with ``pred_tracks``, one per expression that is found anywhere,
        and where key frames are chosen with ``key_scores`` in the ``video_info`` of their frames, per expression the
        scores [T]; of dialogues as the base class."""
        from .key_frames import build_scorer
        from .sweep import sweep
        scorer = None if self.key_frames is None else build_scorer(self, **self.key_frames)
        for frames, sample in zip(inputs, data_samples):
            if not isinstance(sample, TrackDataSample):
                super().predict([frames], [sample])
                continue
            sample.pred_tracks, key_scores = [], []
            info = sample[0].video_info
            names = [entry['exp_id'] for entry in info.get('expressions', ())]
            for label, expression in enumerate(sample[0].text):
                key = (str(info['name']), str(names[label])) if names else None
                answers, _, scores = sweep(self, frames, expression, scorer, key)
                key_scores.append(scores)
                rles = [encode_mask(answer.mask) for answer in answers]
                shown = [answer.score for answer, rle in zip(answers, rles) if rle is not None]
                if shown:
                    sample.pred_tracks.append(Track(label + 1, label, sum(shown) / len(shown), rles,
                                                    [rle and corners_of(rle) for rle in rles]))
            if scorer is not None:
                for frame in sample:
                    frame.set_metainfo(dict(video_info=dict(info, key_scores=key_scores)))
        return data_samples

    def _score_losses(self, tokens, states: Tensor, scores: Sequence[float]) -> Tensor:
        """L1 of the score of each [SCORE] of a dialogue."""
        wanted = torch.tensor(scores, device=states.device, dtype=torch.float32)
        return (self.scores(tokens.ids, states) - wanted).abs().mean()

    def scores(self, ids: Tensor, states: Tensor) -> Tensor:
        """Scores (S,) of the [SCORE] in a dialogue, of its states (L, D); what they estimate is an IoU."""
        at = (ids == self.language_model.score_id).nonzero()[:, 0].to(states.device)
        # linear: behind a sigmoid the L1 loss has no gradient at 0 and 1, which most of its labels are close to
        return self.score_head(states[at - 1].float())[:, 0]


def corners_of(rle: dict) -> list[float]:
    """Box xyxy px of a mask."""
    x, y, width, height = bounding_box(rle)
    return [x, y, x + width, y + height]

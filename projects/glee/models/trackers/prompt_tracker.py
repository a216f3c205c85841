"""Following objects that were pointed at (video object segmentation)."""
from dataclasses import dataclass, field
from typing import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from ...structures.prompt_tokens import PromptTokens
from ...structures.prompted_objects import gather_prompts
from ...structures.track import Track, encode_mask
from ..language_models.text_prompt import encode_category, read_texts
from ..prompts.visual_prompter import VisualPrompt, join_tokens
from ..seg_heads.glee_fusion_head import resize_logits
from .base_tracker import GLEETracker
from .object_merge import ObjectMerge

MEMORIES = ('first', 'first+previous')


@dataclass
class FollowedObject:
    """What is remembered of an object: tokens, never pictures.

    ``template``: (1, T, D). ``points``: tokens of the frame it was pointed at. ``previous``: tokens of its
    mask in the previous frame, or None.
    """
    track: Track
    template: Tensor
    points: PromptTokens
    previous: PromptTokens | None = None
    scores: list[float] = field(default_factory=list)


@MODELS.register_module()
class PromptTracker(GLEETracker):
    """Carries the visual prompt of an object to every later frame (DESIGN section 5, 'Tracking').

    A frame's ``prompts`` start objects, in any frame, with ``instance_ids`` as identities (their numbers
    without); a prompt for a known identity replaces what is remembered of it. The template tokens and
    point features of that frame are the prompt of all later frames, as in training; the confidence head
    selects the query. The objects of a frame are merged by soft aggregation. Memory: the tokens of each
    object.

    Args:
        memory (str): 'first', or 'first+previous' to add point features of the object's mask in the
            previous frame, when it is not empty.
        min_score (float): below this probability an object counts as absent.
    """

    def __init__(self, memory: str = 'first', min_score: float = 0.0) -> None:
        if memory not in MEMORIES:
            raise ValueError(f'PromptTracker got memory={memory!r}; choose from {MEMORIES}')
        self.memory = memory
        self.min_score = min_score
        self.start()

    def start(self) -> None:
        """Forget the previous video."""
        self.objects: dict[int, FollowedObject] = {}
        self.num_frames = 0

    def update(self, detector, inputs: Tensor, data_samples: Sequence[DetDataSample]) -> None:
        """Follow the objects through a window of frames; the backbone runs once per frame."""
        texts, is_expression = read_texts(data_samples)
        if is_expression:
            raise ValueError("PromptTracker takes a vocabulary in 'text' (text_mode='category'), usually 'object'")
        feats = detector.extract_feat(inputs)
        for index, sample in enumerate(data_samples):
            frame = slice(index, index + 1)
            frame_feats = [feat[frame] for feat in feats]
            given = self._take_prompts(detector, inputs[frame], frame_feats, sample, texts[index])
            self._follow(detector, frame_feats, sample, texts[index], given)
            self.num_frames += 1

    def _take_prompts(self, detector, image: Tensor, feats: list[Tensor], sample: DetDataSample,
                      names: Sequence[str]) -> dict[int, Tensor]:
        """Start the objects of this frame's prompts; masks (H, W) of the padded input that are given."""
        if 'prompts' not in sample or not len(sample.prompts.masks):
            return {}
        rows, head = gather_prompts([sample]), detector.panoptic_head
        ids = sample.prompts.get('instance_ids')
        ids = (torch.arange(len(rows.kinds)) + 1 if ids is None else ids).tolist()
        templates = head.prompter.template_tokens(detector.extract_templates(image, rows))
        given = {}
        for row, identity in enumerate(ids):
            visual = VisualPrompt(templates[row:row + 1], rows.masks[row:row + 1], rows.neg_masks[row:row + 1])
            levels = self._decode(head, feats, names, visual).levels
            known = self.objects.get(identity)
            track = known.track if known else Track(identity, 0, 0., [None] * self.num_frames, [None] * self.num_frames)
            self.objects[identity] = FollowedObject(
                track, visual.template_tokens, head.prompter.point_tokens(levels, visual),
                scores=known.scores if known else [])
            if rows.kinds[row] == 'mask':
                given[identity] = rows.masks[row]
        return given

    @staticmethod
    def _decode(head, feats: list[Tensor], names: Sequence[str], visual: VisualPrompt):
        count = len(visual.template_tokens)
        return head.decode([feat.expand(count, -1, -1, -1) for feat in feats],
                           encode_category(head.text_encoder, names, count), last_only=True, visual=visual)

    def _follow(self, detector, feats: list[Tensor], sample: DetDataSample, names: Sequence[str],
                given: dict[int, Tensor]) -> None:
        """Masks of all objects in one frame."""
        head, meta = detector.panoptic_head, sample.metainfo
        sizes = meta['batch_input_shape'], meta['img_shape'][:2], meta['ori_shape'][:2]
        merge = ObjectMerge(sizes[-1], feats[0].device)
        ids = list(self.objects)
        for start in range(0, len(ids), head.prompt_chunk):
            chunk = [self.objects[identity] for identity in ids[start:start + head.prompt_chunk]]
            outputs = self._decode(head, feats, names, remembered(chunk, meta['batch_input_shape'], feats[0].device))
            last = outputs.predictions['']
            probability = head.composer.visual_probability(last['scores'], last['logits'])
            scores, best = probability.max(1)
            for row, entry in enumerate(chunk):
                logits = torch.einsum('d,dhw->hw', last['mask_embeds'][row, best[row]], outputs.mask_features[row])
                identity, score = entry.track.instance_id, float(scores[row])
                if identity in given:
                    full = resize_logits(given[identity][None], *sizes)[0].round()
                elif score < self.min_score:
                    full, logits = torch.zeros(sizes[-1], device=logits.device), None
                else:
                    full = resize_logits(logits[None], *sizes)[0].sigmoid()
                merge.add(full)
                entry.scores.append(score)
                if self.memory == 'first+previous':
                    entry.previous = self._tokens_of(head, outputs.levels, row, logits, meta['batch_input_shape'])
        self._store(merge)

    @staticmethod
    def _tokens_of(head, levels: Sequence[Tensor], row: int, logits: Tensor | None,
                   size: tuple[int, int]) -> PromptTokens | None:
        """Point features of the object's mask in this frame, None if it is empty."""
        if logits is None:
            return None
        mask = F.interpolate(logits[None, None].float(), tuple(size), mode='bilinear', align_corners=False)[0] > 0
        if not mask.any():
            return None
        visual = VisualPrompt(mask.new_zeros(1, 0), mask, torch.zeros_like(mask))
        return head.prompter.point_tokens([level[row:row + 1] for level in levels], visual)

    def _store(self, merge: ObjectMerge) -> None:
        """Append one frame to the tracks."""
        for entry, mask in zip(self.objects.values(), merge.masks()):
            rle = encode_mask(mask.cpu().numpy())
            entry.track.segmentations.append(rle)
            entry.track.bboxes.append(None if rle is None else _box(mask))

    def take_last(self) -> dict[int, dict | None]:
        """Masks (RLE or None) of the last frame by identity, which the tracker then forgets: for live video."""
        last = {}
        for identity, entry in self.objects.items():
            last[identity] = entry.track.segmentations[-1]
            entry.track.segmentations.clear()
            entry.track.bboxes.clear()
            entry.scores.clear()
        self.num_frames = 0
        return last

    def finish(self, detector) -> list[Track]:
        """One track per object; ``score`` is its mean probability."""
        tracks = []
        for entry in self.objects.values():
            entry.track.score = sum(entry.scores) / max(len(entry.scores), 1)
            tracks.append(entry.track)
        self.start()
        return tracks


def remembered(objects: Sequence[FollowedObject], size: tuple[int, int], device) -> VisualPrompt:
    """The visual prompt of several objects in a frame in which nobody points at them."""
    tokens = [join_tokens(entry.points, entry.previous) for entry in objects]
    num_sets = len(tokens[0].levels)
    longest = max(part.levels[0].shape[1] for part in tokens)
    memory = PromptTokens(
        [torch.cat([F.pad(part.levels[k], (0, 0, 0, longest - part.levels[k].shape[1])) for part in tokens])
         for k in range(num_sets)],
        [torch.cat([F.pad(part.valid[k], (0, longest - part.valid[k].shape[1])) for part in tokens])
         for k in range(num_sets)])
    none = torch.zeros(len(objects), *size, dtype=torch.bool, device=device)
    return VisualPrompt(torch.cat([entry.template for entry in objects]), none, none, memory)


def _box(mask: Tensor) -> list[float]:
    """xyxy of the true pixels."""
    ys, xs = mask.nonzero(as_tuple=True)
    return [float(value) for value in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]

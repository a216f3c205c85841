"""Following objects that were pointed at (video object segmentation)."""
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Sequence

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from ...structures.prompt_tokens import ObjectTokens
from ...structures.prompted_objects import PromptedObjects, read_prompts
from ...structures.track import Track, encode_mask
from ..language_models.text_prompt import read_texts
from ..prompts.prompt_decoder import DecodedObject, PromptDecoder
from ..seg_heads.mask_resize import resize_logits
from .base_tracker import GLEETracker
from .object_merge import ObjectMerge

MEMORIES = ('first', 'first+previous')


class Sighting(NamedTuple):
    """An object in one frame: its probability, mask logits (h, w) at mask-feature resolution, None where it is absent,
    and the point tokens [(L, D)] of that mask, None where it is empty or nobody wants them."""
    score: float
    logits: Tensor | None
    points: list[Tensor] | None


@dataclass
class FollowedObject:
    """What is remembered of an object: tokens and words, never pictures.

    ``tokens``: of the pixels of the frame it was pointed at, or None. ``text``, ``reference``: what else was given
    there. ``previous``: point tokens of its mask in the previous frame, or None.
    """
    track: Track
    tokens: ObjectTokens | None
    text: str | None
    reference: Any
    previous: list[Tensor] | None = None
    scores: list[float] = field(default_factory=list)

    @property
    def is_described(self) -> bool:
        """Whether anything says what it is."""
        return self.tokens is not None or self.text is not None or self.reference is not None

    @property
    def carried(self) -> ObjectTokens | None:
        """What its pixels say in the next frame."""
        if self.tokens is None or self.previous is None:
            return self.tokens
        points = [torch.cat(parts) for parts in zip(self.tokens.points, self.previous)]
        return self.tokens._replace(points=points)


@MODELS.register_module()
class PromptTracker(GLEETracker):
    """Carries the visual prompt of an object to every later frame (DESIGN section 5, 'Tracking').

    A frame's ``prompts`` start objects, in any frame, with ``instance_ids`` as identities (their numbers
    without); a prompt for a known identity replaces what is remembered of it. The template tokens and
    point features of that frame, its expression and its reference are the prompt of all later frames, as in training;
    the composer selects the query, for pixels alone by the confidence head. An object with an empty mask and nothing
    else is in no frame. The objects of a frame are merged by soft aggregation. Memory: the tokens of each object.

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
            self.step(detector, inputs[frame], [feat[frame] for feat in feats], sample, texts[index])

    def step(self, detector, image: Tensor, feats: list[Tensor], sample: DetDataSample, names: Sequence[str]) -> None:
        """Follow the objects through the next frame, whose backbone maps are known.

        Args:
            detector (GLEE): the detector.
            image (Tensor): (1, 3, H, W), normalised and padded.
            feats (list[Tensor]): its maps [(1, C, h, w)].
            sample (DetDataSample): of the frame; its ``prompts``, if any, start objects.
            names (Sequence[str]): vocabulary of the objects without a text of their own, usually 'object'.
        """
        given = self._take_prompts(detector, image, feats, sample, names)
        self._follow(detector.panoptic_head.prompt_decoder, feats, sample, names, given)
        self.num_frames += 1

    @property
    def has_live(self) -> bool:
        """Whether any object could be in the next frame; if not, the model need not see it."""
        return any(entry.is_described for entry in self.objects.values())

    def forget(self, identity: int) -> None:
        """Follow an object no longer; nothing happens if it is unknown."""
        self.objects.pop(identity, None)

    def _take_prompts(self, detector, image: Tensor, feats: list[Tensor], sample: DetDataSample,
                      names: Sequence[str]) -> dict[int, Tensor]:
        """Start the objects of this frame's prompts; masks (H, W) of the padded input that are given."""
        if 'prompts' not in sample or not len(sample.prompts.masks):
            return {}
        objects = detector.extract_templates(image, read_prompts(0, sample))
        ids = sample.prompts.get('instance_ids')
        ids = (torch.arange(len(objects.kinds)) + 1 if ids is None else ids).tolist()
        tokens = detector.panoptic_head.prompt_decoder.carry(feats, objects, names)
        for identity, *said in zip(ids, tokens, objects.texts, objects.refs):
            known = self.objects.get(identity)
            track = known.track if known else Track(identity, 0, 0., [None] * self.num_frames, [None] * self.num_frames)
            self.objects[identity] = FollowedObject(track, *said, scores=known.scores if known else [])
        return {identity: mask for identity, mask, kind, has_pixels in zip(
            ids, objects.masks, objects.kinds, objects.has_pixels) if kind == 'mask' and has_pixels}

    def _follow(self, decoder: PromptDecoder, feats: list[Tensor], sample: DetDataSample, names: Sequence[str],
                given: dict[int, Tensor]) -> None:
        """Masks of all objects in one frame."""
        meta = sample.metainfo
        sizes = meta['batch_input_shape'], meta['img_shape'][:2], meta['ori_shape'][:2]
        entries = [entry for entry in self.objects.values() if entry.is_described]
        nowhere = torch.zeros((), dtype=torch.bool, device=feats[0].device).expand(len(entries), *sizes[0])
        nothing = [False] * len(entries)
        objects = PromptedObjects.of_image(
            nowhere, nowhere, nothing, nothing, texts=[entry.text for entry in entries],
            refs=[entry.reference for entry in entries], carried=[entry.carried for entry in entries])
        seen = iter(decoder.decode(feats, objects, names, lambda decoded: self._look(
            decoder, decoded, entries[decoded.index], sizes[0], given)))
        merge = ObjectMerge(sizes[-1], feats[0].device)
        for identity, entry in self.objects.items():
            sighting = next(seen) if entry.is_described else Sighting(0., None, None)
            if identity in given:
                full = resize_logits(given[identity][None], *sizes)[0].round()
            elif sighting.logits is None:
                full = merge.best.new_zeros(sizes[-1])
            else:
                # large logits are a probability of exactly 1, as what was given: of equal claims the earliest would win
                full = resize_logits(sighting.logits[None], *sizes)[0].sigmoid().clamp_(max=1 - 1e-6)
            merge.add(full)
            entry.scores.append(sighting.score)
            entry.previous = sighting.points
        self._store(merge)

    def _look(self, decoder: PromptDecoder, decoded: DecodedObject, entry: FollowedObject, size: tuple[int, int],
              given: dict[int, Tensor]) -> Sighting:
        """The best query of an object; ``size`` of the padded input, px."""
        best = decoded.ranking.argmax()[None]
        score = float(decoded.probability[best])
        if score < self.min_score and entry.track.instance_id not in given:
            return Sighting(score, None, None)
        logits = decoded.masks(best)[0]
        remember = self.memory == 'first+previous' and entry.tokens is not None
        return Sighting(score, logits, decoder.points_of(decoded, logits, size) if remember else None)

    def _store(self, merge: ObjectMerge) -> None:
        """Append one frame to the tracks."""
        for entry, mask in zip(self.objects.values(), merge.masks()):
            rle = encode_mask(mask.cpu().numpy())
            entry.track.segmentations.append(rle)
            entry.track.bboxes.append(None if rle is None else _box(mask))

    def take_last(self) -> dict[int, tuple[float, dict | None, list[float] | None]]:
        """Score, mask (RLE or None) and box of the objects in the last frame, by identity; the tracker forgets them."""
        last = {}
        for identity, entry in self.objects.items():
            last[identity] = entry.scores[-1], entry.track.segmentations[-1], entry.track.bboxes[-1]
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


def _box(mask: Tensor) -> list[float]:
    """xyxy of the true pixels."""
    ys, xs = mask.nonzero(as_tuple=True)
    return [float(value) for value in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]

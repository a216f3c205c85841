"""From prompted objects to their queries: the one way, in training and at test."""
from typing import Any, Callable, Iterator, NamedTuple, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...structures.pixel_features import PixelFeatures
from ...structures.prompt_tokens import ObjectTokens, join_tokens, stack_points
from ...structures.prompted_objects import PromptedObjects, PromptSet
from ...structures.selected_queries import SelectedQueries
from ...utils.unwaited import sent
from ..language_models.text_prompt import TextPrompt
from .prompt_composer import PromptComposer, PromptEvidence
from .reference_prompt import ReferencePrompt, name_prompt
from .visual_prompter import VisualPrompt, choose_pixels, sample_points, true_pixels

SIGN_POINTS = 512  # most pixels of each sign at which masks are compared


class DecodedObject(NamedTuple):
    """Queries of one prompted object.

    ``index``: its number among the objects. ``ranking``, ``probability``: (Q,) composed score with and without signs
    and history. ``logits``: (Q, C). ``boxes``: (Q, 4) cxcywh relative to the padded input. ``mask_embeds``,
    ``embeddings``: (Q, D). ``mask_features``: (D, h, w). ``pixels``: as they were encoded for it, a
    batch of one. ``evidence``: what the scores are composed of.
    """
    index: int
    ranking: Tensor
    probability: Tensor
    logits: Tensor
    boxes: Tensor
    mask_embeds: Tensor
    embeddings: Tensor
    mask_features: Tensor
    pixels: PixelFeatures | None = None
    evidence: PromptEvidence | None = None

    def masks(self, queries: Tensor) -> Tensor:
        """Mask logits (n, h, w) of some queries (n,)."""
        return torch.einsum('qd,dhw->qhw', self.mask_embeds[queries], self.mask_features)


def select_best(decoded: DecodedObject) -> tuple[SelectedQueries, Tensor]:
    """The query that ranks first, and its mask logits (1, h, w)."""
    best = decoded.ranking.argmax()[None]
    return SelectedQueries(decoded.probability[best], decoded.logits[best].argmax(-1), decoded.boxes[best]), (
        decoded.masks(best))


class PromptDecoder:
    """Decodes objects that are pointed at, shown in another picture or described (DESIGN section 5).

    Each object has its own fused encoder and decoder pass, so that the numbers are those of separate calls. Objects
    that were given the same prompts (``PromptSet``) pass together, a chunk of them at a time. The head owns the
    prompter's parameters; everything else about prompts is here, and the head, sessions and trackers come this way.

    Args:
        head (GLEEHead): encodes and decodes.
        composer (PromptComposer): scores the queries of an object.
        chunk (int): most objects that pass together at test.
        chunk_pixels (int): most pixels of the padded input times objects that pass together, which bounds memory. On a
            CPU an eighth of them pass the encoder together: what fits the cache is faster.
    """

    def __init__(self, head, composer: PromptComposer, chunk: int = 8, chunk_pixels: int = 2**22) -> None:
        self.head = head
        self.composer = composer
        self.chunk = chunk
        self.chunk_pixels = chunk_pixels

    # ---- what the network reads ----
    def read(self, objects: PromptedObjects, vocabulary: TextPrompt) -> tuple[TextPrompt, VisualPrompt | None]:
        """Text and visual prompt of P objects that pass together.

        Args:
            objects (PromptedObjects): of a batch of B images.
            vocabulary (TextPrompt): of the B images; a text of an object takes its place.

        Raises:
            ValueError: there is no object, or they were given different prompts.
        """
        sets = set(objects.given())
        if len(sets) != 1:
            raise ValueError('training and tensor mode take one or more objects with the same prompts (pixels, '
                             f'reference, text), got {sorted(map(tuple, sets))}: batch them by what they were given')
        given, = sets
        text = self.head.encode_expressions(objects.texts) if given.text else vocabulary.pick(objects.images)
        return self._read(self._fit(objects), given, text)

    def _fit(self, objects: PromptedObjects) -> PromptedObjects:
        """References may come from a model on another device or in another precision."""
        like = self.head.category_embed
        return objects._replace(refs=[None if reference is None else reference.to(like) for reference in objects.refs])

    def _read(self, objects: PromptedObjects, given: PromptSet, text: TextPrompt, remember: bool = True,
              is_encoded: bool = False) -> tuple[TextPrompt, VisualPrompt | None]:
        """``read`` with the text of each object; templates are left out where the pixels are encoded already."""
        if self._as_name(given):
            return name_prompt(objects.refs, text), None
        if not given.visual and not given.reference:
            return text, None
        if is_encoded:
            templates = None
        elif given.pixels:
            templates = self._template_tokens(objects)
        else:
            templates = torch.stack([tokens.template if given.carried else reference.template_tokens
                                     for tokens, reference in zip(objects.carried, objects.refs)])
        points = [stack_points([tokens.points for tokens in objects.carried])] if given.carried else []
        if given.reference:
            points.append(stack_points([reference.levels for reference in objects.refs]))
        return text, VisualPrompt(templates, objects.masks, objects.neg_masks, join_tokens(*points),
                                  objects.prev_logits if remember else None)

    def _as_name(self, given: PromptSet) -> bool:
        """Whether an object is decoded as the name of its reference."""
        return given == PromptSet(False, False, True, False) and self.composer.reference_as == 'name'

    def _template_tokens(self, objects: PromptedObjects) -> Tensor:
        """Tokens (P, T, D) of the templates of objects with pixels."""
        return self.head.prompter.template_tokens([torch.stack(maps) for maps in zip(*objects.templates)])

    # ---- decoding ----
    def decode(self, feats: Sequence[Tensor], objects: PromptedObjects, names: Sequence[str] | None,
               choose: Callable[[DecodedObject], Any] = select_best, remember: bool = True,
               pixels: Sequence[PixelFeatures | None] | None = None) -> list:
        """What ``choose`` makes of the queries of each object of one image, in the order of the objects.

        Args:
            feats (Sequence[Tensor]): backbone maps [(1, C, h, w)] of the image.
            objects (PromptedObjects): P objects of this image.
            names (Sequence[str] | None): vocabulary of the objects without a text of their own.
            choose (Callable): gets every ``DecodedObject`` once, in any order; what it keeps stays in memory.
            remember (bool): whether the prompter sees the masks of the round before; they attract the choice anyway.
            pixels (Sequence[PixelFeatures | None] | None): of each object pixels that were encoded earlier, for it or
                for any, a batch of one: then its template is not read and the encoder does not run. None encodes.
        """
        results = [None] * len(objects.kinds)
        for given, indices, part, text in self._chunks(objects, names, pixels):
            ready = [] if pixels is None or pixels[indices[0]] is None else [pixels[index] for index in indices]
            own, visual = self._read(part, given, text, remember, bool(ready))
            encoded = PixelFeatures.cat(ready) if ready else self.head.encode(feats, own, visual)
            outputs = self.head.decode_pixels(encoded, own, last_only=True, visual=visual)
            logits = outputs.predictions['']['logits']
            if self._as_name(given):
                logits = self.head.name_logits(outputs.embeddings, text.embeds)
            signed = self._signed_pixels(part)
            for row, index in enumerate(indices):
                evidence, last = self._evidence(part, row, given, outputs, signed[row]), outputs.last(row)
                results[index] = choose(DecodedObject(
                    index, self.composer(evidence), self.composer.modalities(evidence), logits[row], last['boxes'],
                    last['mask_embeds'], outputs.embeddings[row], outputs.mask_features[row],
                    encoded.of(row), evidence))
        return results

    def predict(self, feats: Sequence[Tensor], objects: PromptedObjects,
                names: Sequence[str] | None) -> tuple[SelectedQueries, Tensor]:
        """The best query of each object of one image, and mask logits (P, h, w); arguments as of ``decode``.

        ``labels`` are the best of the names (0 for an object with a text of its own).
        """
        chosen = self.decode(feats, objects, names)
        if not chosen:
            like = feats[0]
            return SelectedQueries(like.new_zeros(0), like.new_zeros(0, dtype=torch.long), like.new_zeros(0, 4)), (
                like.new_zeros(0, *like.shape[-2:]))
        return SelectedQueries.cat([selected for selected, _ in chosen]), torch.cat([masks for _, masks in chosen])

    def carry(self, feats: Sequence[Tensor], objects: PromptedObjects,
              names: Sequence[str]) -> list[ObjectTokens | None]:
        """What the pixels of each object say in other frames; None for one without. The object decoder does not run.

        Arguments as of ``decode``.
        """
        tokens = [None] * len(objects.kinds)
        for given, indices, part, text in self._chunks(objects, names):
            if given.pixels:
                own, visual = self._read(part, given, text)
                pixels = self.head.encode(feats, own, visual).expand(len(indices))
                points = self.head.prompter.sample_tokens(pixels.levels, part.masks, part.neg_masks)
                for row, index in enumerate(indices):
                    tokens[index] = ObjectTokens(visual.template_tokens[row].clone(), points.of(row))
        return tokens

    def points_of(self, decoded: DecodedObject, logits: Tensor, size: Sequence[int]) -> list[Tensor] | None:
        """Point tokens [(L, D)] of a mask of a decoded object, one set per level but the coarsest; None if it is empty.

        Args:
            decoded (DecodedObject): the object in this frame.
            logits (Tensor): (h, w) at mask-feature resolution.
            size (Sequence[int]): height and width of the padded input, px.
        """
        mask = F.interpolate(logits[None, None].float(), tuple(size), mode='bilinear', align_corners=False)[0] > 0
        if not mask.any():
            return None
        return self.head.prompter.sample_tokens(decoded.pixels.levels, mask, torch.zeros_like(mask)).of(0)

    def encode_reference(self, feats: Sequence[Tensor], objects: PromptedObjects, names: Sequence[str],
                         ) -> ReferencePrompt:
        """Encode an object with pixels as a prompt for other pictures.

        Args:
            feats (Sequence[Tensor]): backbone maps [(1, C, h, w)] of the picture.
            objects (PromptedObjects): the one object; of its prompts the pixels count.
            names (Sequence[str]): vocabulary for early fusion.
        """
        head, pixels = self.head, objects._replace(texts=[None], refs=[None], prev_logits=[None])

        def keep(decoded: DecodedObject) -> ReferencePrompt:
            features = decoded.mask_features
            places, = true_pixels([pixels.masks[0]])
            points = choose_pixels(places, pixels.masks.shape[-2:], head.prompter.num_points,
                                   torch.Generator().manual_seed(0))
            sampled = sample_points(features, points)
            evidence = PromptEvidence(visual=decoded.evidence.visual,
                                      positive=(decoded.mask_embeds @ sampled).sigmoid().mean(-1))
            found = decoded.embeddings[self.composer(evidence).argmax()]
            tokens = head.prompter.sample_tokens(decoded.pixels.levels, pixels.masks, pixels.neg_masks)
            return ReferencePrompt(self._template_tokens(pixels)[0], tokens.of(0), sampled.mean(-1),
                                   head.name_embeds(found), pixels.kinds[0])

        return self.decode(feats, pixels, names, keep)[0]

    def objects_together(self, num_pixels: int, device: torch.device, is_new: bool = True) -> int:
        """How many objects pass together.

        Args:
            num_pixels: of the padded input of each object.
            device: where they pass.
            is_new: they pass the encoder, too.
        """
        room = self.chunk_pixels // num_pixels
        return max(min(self.chunk, room // 8 if is_new and device.type == 'cpu' else room), 1)

    def _chunks(self, objects: PromptedObjects, names: Sequence[str] | None,
                pixels: Sequence[PixelFeatures | None] | None = None,
                ) -> Iterator[tuple[PromptSet, list[int], PromptedObjects, TextPrompt]]:
        """Objects with the same prompts, a chunk at a time: what was given, their numbers, they and their texts.

        Those whose ``pixels`` are encoded already come apart from the others.
        """
        groups: dict[tuple[PromptSet, bool], list[int]] = {}
        encoded = [None] * len(objects.kinds) if pixels is None else pixels
        for index, (given, ready) in enumerate(zip(objects.given(), encoded)):
            groups.setdefault((given, ready is None), []).append(index)
        told = [index for index, text in enumerate(objects.texts) if text is not None]
        expressions = self.head.encode_expressions([objects.texts[index] for index in told]) if told else None
        vocabulary = None if len(told) == len(objects.kinds) else self.head.encode_names(names)
        for (given, is_new), members in groups.items():
            step = self.objects_together(objects.masks.shape[-2:].numel(), objects.masks.device, is_new)
            for start in range(0, len(members), step):
                indices = members[start:start + step]
                text = (expressions.pick([told.index(index) for index in indices]) if given.text else
                        vocabulary.pick([0] * len(indices)))
                yield given, indices, self._fit(objects.pick(indices)), text

    # ---- which query it is ----
    def _evidence(self, objects: PromptedObjects, row: int, given: PromptSet, outputs,
                  signed: dict[str, Tensor]) -> PromptEvidence:
        """Everything that speaks for each query of one object of a decoded chunk, with its ``_signed_pixels``."""
        composer, last, features = self.composer, outputs.last(row), outputs.mask_features[row]
        as_name = self._as_name(given)
        # a reference is a visual prompt of its own, but where one modality decides its likeness is asked
        confident = given.visual or (given.reference and not as_name and composer.mode == 'joint')
        return PromptEvidence(
            visual=composer.visual_probability(last['scores'], last['logits']) if confident else None,
            reference=self._likeness(objects.refs[row], last, outputs.embeddings[row]) if given.reference else None,
            text=last['logits'].float().sigmoid().amax(-1) if given.text or as_name else None,
            **_signs(signed, objects.masks.shape[-2:], last['mask_embeds'], features),
            previous=_overlap(objects.prev_logits[row], last['mask_embeds'], features))

    def _likeness(self, reference: ReferencePrompt, last: dict[str, Tensor], embeddings: Tensor) -> Tensor:
        """Cosine (Q,) of every query with a reference, in the space that the composer wants."""
        if self.composer.reference_space == 'name':
            return F.cosine_similarity(self.head.name_embeds(embeddings), reference.name[None])
        return F.cosine_similarity(last['mask_embeds'], reference.pooled[None])

    def _signed_pixels(self, objects: PromptedObjects) -> list[dict[str, Tensor]]:
        """'positive' and 'negative' pixels (n, 2) of each object, if it has negative ones or it is wanted."""
        asked = [(row, name, masks[row]) for row, has_negatives in enumerate(objects.has_negatives)
                 if has_negatives or self.composer.pos_weight > 0
                 for name, exist, masks in (('positive', objects.has_pixels, objects.masks),
                                            ('negative', objects.has_negatives, objects.neg_masks)) if exist[row]]
        signed: list[dict[str, Tensor]] = [{} for _ in objects.kinds]
        for (row, name, _), pixels in zip(asked, true_pixels([mask for *_, mask in asked])):
            signed[row][name] = pixels
        return signed


def _signs(signed: dict[str, Tensor], size: Sequence[int], embeds: Tensor, features: Tensor) -> dict[str, Tensor]:
    """Mean mask probability (Q,) at the pixels of each sign, of prompts of ``size`` (height and width, px)."""
    found = {}
    for name, pixels in signed.items():
        points = choose_pixels(pixels, size, SIGN_POINTS, torch.Generator().manual_seed(0))
        # pixel centres, as the mask is later upsampled
        points = points + sent([0.5 / size[1], 0.5 / size[0]], points.device)
        found[name] = (embeds @ sample_points(features, points)).sigmoid().mean(-1)
    return found


def _overlap(previous: Tensor | None, embeds: Tensor, features: Tensor) -> Tensor | None:
    """IoU (Q,) of every query's mask with the previous one, at mask-feature resolution."""
    if previous is None:
        return None
    before = previous.to(features) > 0
    if tuple(before.shape) != tuple(features.shape[-2:]):
        raise ValueError(f'prev_logits are {tuple(before.shape)} but mask features {tuple(features.shape[-2:])}: '
                         'hand back the logits that the round before returned')
    masks = torch.einsum('qd,dhw->qhw', embeds, features) > 0
    union = (masks | before).sum((1, 2))
    return (masks & before).sum((1, 2)) / union.clamp(min=1)

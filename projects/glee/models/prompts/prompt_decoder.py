"""From prompted objects to one chosen query each, at test time."""
from typing import Callable, Iterator, NamedTuple, Sequence

import torch
import torch.nn.functional as F
from mmcv.ops import point_sample
from mmdet.structures import SampleList
from mmengine.structures import InstanceData
from torch import Tensor

from ...structures.prompted_objects import PromptedObjects
from ..language_models.text_prompt import TextPrompt, encode_category, encode_expressions, read_texts
from .prompt_composer import PromptEvidence
from .reference_prompt import ReferencePrompt, name_embeds, name_prompt, stack_references
from .visual_prompter import VisualPrompt, choose_pixels

Encode = Callable[[Sequence[str]], TextPrompt]


class RowOutput(NamedTuple):
    """Queries of one prompted object.

    ``row``: its number. ``ranking``, ``probability``: (Q,) composed score with and without signs and
    history. ``logits``: (Q, C). ``boxes``: (Q, 4) cxcywh relative to the padded input. ``mask_embeds``,
    ``embeddings``: (Q, D). ``mask_features``: (D, h, w).
    """
    row: int
    ranking: Tensor
    probability: Tensor
    logits: Tensor
    boxes: Tensor
    mask_embeds: Tensor
    embeddings: Tensor
    mask_features: Tensor

    def masks(self, queries: Tensor) -> Tensor:
        """Mask logits (n, h, w) of some queries (n,)."""
        return torch.einsum('qd,dhw->qhw', self.mask_embeds[queries], self.mask_features)


def predict_prompted(head, feats: Sequence[Tensor], data_samples: SampleList, rows: PromptedObjects,
                     templates: list[Tensor] | None) -> tuple[list[InstanceData], list[Tensor]]:
    """One instance per prompted object; ``GLEEHead.predict`` of samples with prompts.

    ``labels`` are the best name of the sample's vocabulary (0 for an object given with a text of its own,
    whose index is meaningless), ``scores`` the composed probability.
    """
    texts, is_expression = read_texts(data_samples)
    if is_expression:
        raise ValueError("samples with prompts carry a vocabulary in 'text' (text_mode='category'); the "
                         'expression of an object goes to prompts.texts')
    instances, masks = [], []
    positions = _visual_positions(rows)
    for image, names in enumerate(texts):
        own = (rows.images == image).nonzero()[:, 0].tolist()
        part = rows.pick(own)
        part_templates = templates and [feat[[positions[row] for row in own if row in positions]]
                                        for feat in templates]
        prompt = encode_category(head.text_encoder, names, 1)
        outputs = decode_rows(head, [feat[image:image + 1] for feat in feats], part, part_templates, prompt)
        chosen = sorted((_choose(output) for output in outputs), key=lambda item: item[0])
        instances.append(_collect([item[1] for item in chosen], feats[0]))
        height, width = feats[0].shape[-2:]
        masks.append(torch.cat([item[2] for item in chosen]) if chosen else feats[0].new_zeros(0, height, width))
    return instances, masks


def _choose(output: RowOutput) -> tuple[int, InstanceData, Tensor]:
    best = output.ranking.argmax()[None]
    instance = InstanceData(
        scores=output.probability[best], labels=output.logits[best].argmax(-1), boxes=output.boxes[best])
    return output.row, instance, output.masks(best)


def _collect(instances: list[InstanceData], like: Tensor) -> InstanceData:
    if instances:
        return InstanceData.cat(instances)
    return InstanceData(scores=like.new_zeros(0), labels=like.new_zeros(0, dtype=torch.long),
                        boxes=like.new_zeros(0, 4))


def _visual_positions(rows: PromptedObjects) -> dict[int, int]:
    """Position among the templates of every row that has one."""
    visual = [row for row, has_pixels in enumerate(rows.is_visual) if has_pixels]
    return {row: position for position, row in enumerate(visual)}


def decode_rows(head, feats: Sequence[Tensor], rows: PromptedObjects, templates: list[Tensor] | None,
                prompt: TextPrompt, encode: Encode | None = None, remember: bool = True) -> Iterator[RowOutput]:
    """Decode the prompted objects of one image, ``head.prompt_chunk`` at a time.

    Objects are decoded together if they have the same kinds of prompt; each has its own fused encoder
    and decoder pass, so the numbers are those of separate calls. The rows come out of order.

    Args:
        head (GLEEHead): the head.
        feats (Sequence[Tensor]): backbone maps [(1, C, h, w)] of the image.
        rows (PromptedObjects): R objects of this image.
        templates (list[Tensor] | None): backbone maps of the templates of the rows with pixels.
        prompt (TextPrompt): encoded vocabulary (B=1) of the objects without a text of their own.
        encode (Callable | None): expressions to a ``TextPrompt``; None asks the head's encoder.
        remember (bool): whether the prompter sees the masks of the round before; they attract the choice anyway.
    """
    encode = encode or (lambda texts: encode_expressions(head.text_encoder, texts))
    groups: dict[tuple, list[int]] = {}
    for row, visual in enumerate(rows.is_visual):
        key = visual, rows.refs[row] is not None, rows.texts[row] is not None
        groups.setdefault(key, []).append(row)
    positions = _visual_positions(rows)
    for (visual, referred, worded), members in groups.items():
        for start in range(0, len(members), head.prompt_chunk):
            chunk = members[start:start + head.prompt_chunk]
            part = rows.pick(chunk)
            text = encode(part.texts) if worded else prompt.pick(torch.zeros_like(part.images))
            if referred and not visual and not worded and head.composer.reference_as == 'name':
                yield from _named_rows(head, chunk, feats, part, text)
                continue
            tokens = visual and head.prompter.template_tokens(
                [feat[[positions[row] for row in chunk]] for feat in templates])
            outputs = head.decode([feat.expand(len(chunk), -1, -1, -1) for feat in feats], text, last_only=True,
                                  visual=_visual_prompt(part, tokens, visual, referred, remember))
            # a reference is a visual prompt of its own, but where one modality decides its likeness is asked
            confident = visual or (referred and head.composer.mode == 'joint')
            for index, row in enumerate(chunk):
                yield _row_output(head, row, outputs, index, part, (confident, referred, worded))


def _named_rows(head, chunk: list[int], feats: Sequence[Tensor], part: PromptedObjects,
                vocabulary: TextPrompt) -> Iterator[RowOutput]:
    """The rows ``chunk`` of references that are decoded as names; their logits are those of the vocabulary."""
    outputs = head.decode([feat.expand(len(chunk), -1, -1, -1) for feat in feats], name_prompt(part.refs, vocabulary),
                          last_only=True)
    logits = head.name_logits(outputs.embeddings, vocabulary.embeds)
    for index, row in enumerate(chunk):
        output = _row_output(head, row, outputs, index, part, (False, True, True))
        yield output._replace(logits=logits[index])


def _visual_prompt(part: PromptedObjects, tokens, visual: bool, referred: bool, remember: bool) -> VisualPrompt | None:
    """Visual prompt of rows that all have pixels, all have references, or both."""
    previous = part.prev_logits if remember else None
    if not referred:
        return VisualPrompt(tokens, part.masks, part.neg_masks, None, previous) if visual else None
    reference_tokens, points = stack_references(part.refs)
    return VisualPrompt(tokens if visual else reference_tokens, part.masks, part.neg_masks, points, previous)


def _row_output(head, row: int, outputs, index: int, part: PromptedObjects,
                given: tuple[bool, bool, bool]) -> RowOutput:
    """Everything about one row of a decoded chunk, with the scores composed of confidence, reference and text."""
    confident, referred, worded = given
    last = {key: value[index] for key, value in outputs.predictions[''].items()}
    features = outputs.mask_features[index]
    composer = head.composer
    evidence = PromptEvidence(
        visual=composer.visual_probability(last['scores'], last['logits']) if confident else None,
        reference=_likeness(head, part.refs[index], last, outputs.embeddings[index]) if referred else None,
        text=last['logits'].float().sigmoid().amax(-1) if worded else None,
        **_signs(part, index, last['mask_embeds'], features, composer.pos_weight > 0),
        previous=_overlap(part.prev_logits[index], last['mask_embeds'], features))
    return RowOutput(row, composer(evidence), composer.modalities(evidence), last['logits'], last['boxes'],
                     last['mask_embeds'], outputs.embeddings[index], features)


def _likeness(head, reference: ReferencePrompt, last: dict[str, Tensor], embeddings: Tensor) -> Tensor:
    """Cosine (Q,) of every query with a reference, in the space that the composer wants."""
    if head.composer.reference_space == 'name':
        return F.cosine_similarity(name_embeds(head, embeddings), reference.name[None])
    return F.cosine_similarity(last['mask_embeds'], reference.pooled[None])


def _signs(part: PromptedObjects, index: int, embeds: Tensor, features: Tensor, always: bool) -> dict[str, Tensor]:
    """Mean mask probability (Q,) at positive and negative pixels, if there are negative ones or ``always``."""
    if not always and not part.neg_masks[index].any():
        return {}
    found = {}
    for name, mask in (('positive', part.masks[index]), ('negative', part.neg_masks[index])):
        if mask.any():
            points = choose_pixels(mask, 512, torch.Generator().manual_seed(0))
            # pixel centres, as the mask is later upsampled
            points = points + points.new_tensor([0.5 / mask.shape[1], 0.5 / mask.shape[0]])
            found[name] = (embeds @ point_sample(features[None], points[None])[0]).sigmoid().mean(-1)
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

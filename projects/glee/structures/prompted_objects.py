"""Objects that a batch of data samples points at (DESIGN section 4, field ``prompts``)."""
from typing import Any, NamedTuple, Sequence

import torch
from mmdet.structures import SampleList
from mmengine.structures import InstanceData
from torch import Tensor

from ..utils.unwaited import as_index
from .prompt_tokens import ObjectTokens

KINDS = ('point', 'box', 'polygon', 'scribble', 'mask')


class ObjectPrompts(InstanceData):
    """``prompts`` of a data sample (DESIGN section 4).

    Its lists of tensors move with it; those of a plain ``InstanceData`` follow when ``gather_prompts`` reads them.
    """

    def to(self, *args, **kwargs) -> 'ObjectPrompts':
        """As ``Tensor.to``, ``refs`` and ``prev_logits`` included."""
        moved = super().to(*args, **kwargs)
        for name in ('refs', 'prev_logits'):
            if name in moved:
                values = [None if value is None else value.to(*args, **kwargs) for value in moved.get(name)]
                moved.set_field(values, name)
        return moved

    def cpu(self) -> 'ObjectPrompts':
        """As ``Tensor.cpu``."""
        return self.to('cpu')

    def cuda(self) -> 'ObjectPrompts':
        """As ``Tensor.cuda``."""
        return self.to('cuda')


class PromptSet(NamedTuple):
    """Which prompts an object was given; objects with the same ones can be decoded together.

    ``pixels``: positive ones in this image. ``carried``: tokens of those in another frame. ``reference``: the object in
    another picture. ``text``: an expression.
    """
    pixels: bool
    carried: bool
    reference: bool
    text: bool

    @property
    def visual(self) -> bool:
        """Whether pixels of its own video or image say where it is."""
        return self.pixels or self.carried


class PromptedObjects(NamedTuple):
    """P prompted objects, image by image; each field has one entry per object.

    ``images``: (P,) Long, its image in the batch. ``objects``: (P,) Long, the index in ``gt_instances`` of what is
    meant. ``masks``, ``neg_masks``: (P, H, W) bool over the padded input. ``has_pixels``, ``has_negatives``: whether
    any of them is set. ``kinds``: of the pixels, see ``KINDS``. ``texts``: expressions or None. ``refs``:
    ``ReferencePrompt`` or None. ``prev_logits``: (h, w) mask logits of the round before or None. ``templates``:
    backbone maps [(C, h, w)] of the crop around the pixels, or None until they are extracted. ``carried``: tokens of
    the pixels of another frame, or None.
    """
    images: Tensor
    objects: Tensor
    masks: Tensor
    neg_masks: Tensor
    has_pixels: list[bool]
    has_negatives: list[bool]
    kinds: list[str]
    texts: list[str | None]
    refs: list[Any]
    prev_logits: list[Tensor | None]
    templates: list[Sequence[Tensor] | None]
    carried: list[ObjectTokens | None]

    @classmethod
    def of_image(cls, masks: Tensor, neg_masks: Tensor, has_pixels: Sequence[bool], has_negatives: Sequence[bool],
                 kinds: Sequence[str] | None = None, texts: Sequence[str | None] | None = None,
                 refs: Sequence[Any] | None = None, prev_logits: Sequence[Tensor | None] | None = None,
                 carried: Sequence[ObjectTokens | None] | None = None) -> 'PromptedObjects':
        """The objects of a single image; what is left out is None for all of them."""
        numbers, nothing = torch.arange(len(masks), device=masks.device), [None] * len(masks)

        def filled(values: Sequence | None) -> list:
            return list(nothing if values is None else values)

        return cls(torch.zeros_like(numbers), numbers, masks, neg_masks, list(has_pixels), list(has_negatives),
                   ['mask'] * len(masks) if kinds is None else list(kinds), filled(texts), filled(refs),
                   filled(prev_logits), nothing, filled(carried))

    @classmethod
    def of_texts(cls, texts: Sequence[str], size: Sequence[int], device: torch.device) -> 'PromptedObjects':
        """Objects of a single image that only expressions describe; ``size`` is that of the padded input, px."""
        nowhere = torch.zeros((), dtype=torch.bool, device=device).expand(len(texts), *size)
        nothing = [False] * len(texts)
        return cls.of_image(nowhere, nowhere, nothing, nothing, texts=texts)

    def pick(self, indices: Sequence[int]) -> 'PromptedObjects':
        """Some of the objects."""
        rows = as_index(indices, self.masks.device)
        return PromptedObjects(*(
            [values[index] for index in indices] if isinstance(values, list) else values[rows] for values in self))

    def given(self) -> list[PromptSet]:
        """What each object was given."""
        return [PromptSet(pixels, *(value is not None for value in values))
                for pixels, *values in zip(self.has_pixels, self.carried, self.refs, self.texts)]

    def with_pixels(self, masks: Tensor, neg_masks: Tensor) -> 'PromptedObjects':
        """The same objects pointed at by other pixels, (P, H, W) bool; templates have to be extracted again."""
        has_pixels, has_negatives = _have_pixels(masks, neg_masks)
        return self._replace(masks=masks, neg_masks=neg_masks, has_pixels=has_pixels, has_negatives=has_negatives,
                             templates=[None] * len(masks))


def _have_pixels(*masks: Tensor) -> list[list[bool]]:
    """Which of the masks (P, H, W) have a true pixel."""
    return torch.stack([mask.flatten(1).any(1) for mask in masks]).tolist()


def gather_prompts(data_samples: SampleList) -> PromptedObjects | None:
    """Prompts of all samples, or None if no sample has the field.

    Raises:
        ValueError: a mask of another size than the padded input, an unknown kind, or an object with
            neither a positive pixel nor a text nor a reference; image and object are named.
    """
    parts = [read_prompts(index, sample) for index, sample in enumerate(data_samples) if 'prompts' in sample]
    if not parts:
        return None
    objects = PromptedObjects(*(
        sum(values, []) if isinstance(values[0], list) else torch.cat(values) for values in zip(*parts)))
    for index, given in enumerate(objects.given()):
        if not any(given):
            image = int(objects.images[index])
            number = index - int((objects.images < image).sum())
            raise ValueError(f'{_place(image, data_samples[image])}: object {number} ({objects.kinds[index]}) has no '
                             'positive pixel, no text and no reference, so nothing says what it is')
    return objects


def read_prompts(index: int, sample) -> PromptedObjects:
    """Prompts of one sample, the image ``index`` of the batch; an object may be without any.

    Raises:
        ValueError: a mask of another size than the padded input, or an unknown kind; image and object are named.
    """
    prompts: InstanceData = sample.prompts
    masks, count, where = prompts.masks.bool(), len(prompts.masks), _place(index, sample)
    size = tuple(sample.get('batch_input_shape', masks.shape[-2:]))
    if tuple(masks.shape[-2:]) != size:
        raise ValueError(f'{where} have masks of {tuple(masks.shape[-2:])} px but the padded input is {size}: '
                         'give them at the size of the resized image and let GLEEDataPreprocessor pad them')
    for name in ('kinds', 'texts'):
        if isinstance(prompts.get(name), str):
            raise ValueError(f'{where}: {name}={prompts.get(name)!r} must be a list of {count}, one per object')
    for number, kind in enumerate(prompts.kinds):
        if kind not in KINDS:
            raise ValueError(f'{where}: object {number} has kind {kind!r}; choose from {KINDS}')

    def here(name: str) -> list | None:
        values = prompts.get(name)
        return None if values is None else [None if value is None else value.to(masks.device) for value in values]

    neg_masks = prompts.get('neg_masks', torch.zeros_like(masks)).bool()
    objects = PromptedObjects.of_image(masks, neg_masks, *_have_pixels(masks, neg_masks), prompts.kinds,
                                       prompts.get('texts'), here('refs'), here('prev_logits'))
    meant = prompts.get('object_ids', objects.objects).to(masks.device)
    return objects._replace(images=objects.images + index, objects=meant)


def _place(index: int, sample) -> str:
    return f'prompts of {sample.get("img_path", f"sample {index}")}'

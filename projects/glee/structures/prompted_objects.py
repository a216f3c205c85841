"""Prompted objects of a batch of data samples, one per row (DESIGN section 4, field ``prompts``)."""
from typing import Any, NamedTuple

import torch
from mmdet.structures import SampleList
from mmengine.structures import InstanceData
from torch import Tensor

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


class PromptedObjects(NamedTuple):
    """R prompted objects, image by image.

    ``images``: (R,) Long, the image of each row. ``objects``: (R,) Long, the row of ``gt_instances`` that
    the prompt means. ``masks``, ``neg_masks``: (R, H, W) bool over the padded input. ``kinds``: list[str].
    ``texts``: list[str | None], an expression of the object. ``refs``: list of encoded references or None.
    ``prev_logits``: list of (h, w) mask logits of the round before, or None.
    """
    images: Tensor
    objects: Tensor
    masks: Tensor
    neg_masks: Tensor
    kinds: list[str]
    texts: list[str | None]
    refs: list[Any]
    prev_logits: list[Tensor | None]

    @property
    def is_visual(self) -> list[bool]:
        """Rows with positive pixels; only those have a template."""
        return self.masks.flatten(1).any(1).tolist()

    def pick(self, rows: list[int]) -> 'PromptedObjects':
        """Some of the rows."""
        return PromptedObjects(*(
            [values[row] for row in rows] if isinstance(values, list) else values[rows] for values in self))


def gather_prompts(data_samples: SampleList) -> PromptedObjects | None:
    """Prompts of all samples, or None if no sample has the field.

    Raises:
        ValueError: a mask of another size than the padded input, an unknown kind, or an object with
            neither a positive pixel nor a text nor a reference; image and object are named.
    """
    parts = [_rows_of(index, sample) for index, sample in enumerate(data_samples) if 'prompts' in sample]
    if not parts:
        return None
    return PromptedObjects(*(
        sum(values, []) if isinstance(values[0], list) else torch.cat(values) for values in zip(*parts)))


def _rows_of(index: int, sample) -> PromptedObjects:
    prompts: InstanceData = sample.prompts
    masks, count = prompts.masks.bool(), len(prompts.masks)
    where = f'prompts of {sample.get("img_path", f"sample {index}")}'
    size = tuple(sample.get('batch_input_shape', masks.shape[-2:]))
    if tuple(masks.shape[-2:]) != size:
        raise ValueError(f'{where} have masks of {tuple(masks.shape[-2:])} px but the padded input is {size}: '
                         'give them at the size of the resized image and let GLEEDataPreprocessor pad them')
    empty = [None] * count

    def here(name: str) -> list:
        return [None if value is None else value.to(masks.device) for value in prompts.get(name, empty)]

    for name in ('kinds', 'texts'):
        if isinstance(prompts.get(name), str):
            raise ValueError(f'{where}: {name}={prompts.get(name)!r} must be a list of {count}, one per object')
    rows = PromptedObjects(
        images=torch.full((count, ), index, device=masks.device),
        objects=prompts.get('object_ids', torch.arange(count)).to(masks.device),
        masks=masks,
        neg_masks=prompts.get('neg_masks', torch.zeros_like(masks)).bool(),
        kinds=list(prompts.kinds),
        texts=list(prompts.get('texts', empty)),
        refs=here('refs'),
        prev_logits=here('prev_logits'))
    for row, visual in enumerate(rows.is_visual):
        if rows.kinds[row] not in KINDS:
            raise ValueError(f'{where}: object {row} has kind {rows.kinds[row]!r}; choose from {KINDS}')
        if not visual and rows.texts[row] is None and rows.refs[row] is None:
            raise ValueError(f'{where}: object {row} ({rows.kinds[row]}) has no positive pixel, no text and no '
                             'reference, so nothing says what it is')
    return rows

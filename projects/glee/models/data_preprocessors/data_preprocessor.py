"""Pictures to a padded, normalised batch."""
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from ...structures.sample_origin import sample_origin
from ...structures.sample_text import read_sample_text


@MODELS.register_module()
class GLEEDataPreprocessor(DetDataPreprocessor):
    """mmdet's preprocessor with GLEE's values, and prompts padded like masks.

    Pictures are normalised (RGB), padded with zeros after that to multiples of 32 and stacked, and in training the
    masks are padded to the same size and the batch augments run, all by the base class. ``prompts`` of a sample are
    padded like its masks, also at test.

    Args:
        mean, std, bgr_to_rgb, pad_size_divisor, pad_mask: as in the base class, with the values of all GLEE models
            as defaults.
        channels_last (bool): memory layout of ``inputs``; convolutions on a CPU are faster with it.
        batch_augments (Sequence[dict] | None): as in the base class; by default the vocabulary of the batch is drawn
            and batches of sources with a ``prompt_prob`` may become prompt batches.
        **kwargs: the base class's other arguments.

    Raises:
        KeyError: a sample without ``text`` in training; at test the detector has names for it or raises.
        ValueError: empty text, or prompts of another size than the picture; source and image are named.
    """

    def __init__(self, mean: Sequence[float] = (123.675, 116.28, 103.53),
                 std: Sequence[float] = (58.395, 57.12, 57.375), bgr_to_rgb: bool = True,
                 pad_size_divisor: int = 32, pad_mask: bool = True, channels_last: bool = False,
                 batch_augments: Sequence[dict] | None = (dict(type='BatchVocabulary'), dict(type='BatchPrompts')),
                 **kwargs) -> None:
        super().__init__(mean=mean, std=std, bgr_to_rgb=bgr_to_rgb, pad_mask=pad_mask,
                         pad_size_divisor=pad_size_divisor, batch_augments=batch_augments, **kwargs)
        self.channels_last = channels_last

    def _apply(self, fn: Callable[[Tensor], Tensor], *args, **kwargs) -> 'GLEEDataPreprocessor':
        """As in torch; pictures are normalised in float32 whatever the precision of the weights (``.half``, ...)."""
        exact = dict(self._buffers)
        super()._apply(fn, *args, **kwargs)
        for name, value in exact.items():  # mean and std
            if self._buffers[name].dtype != value.dtype:
                self._buffers[name] = value.to(self._buffers[name].device)
        return self

    def forward(self, data: dict, training: bool = False) -> dict:
        """Batch of the loader to ``inputs`` (B, 3, H, W) float and ``data_samples``."""
        for sample in data.get('data_samples') or ():
            if training or 'text' in sample:
                check_text(sample)
        data = super().forward(data, training)
        if self.channels_last:
            data['inputs'] = data['inputs'].contiguous(memory_format=torch.channels_last)
        pad_prompts(data['data_samples'] or ())
        return data


def pad_prompts(samples: Sequence[DetDataSample]) -> None:
    """Pad the prompt masks (P, H, W) of every sample that has some to ``batch_input_shape``, in place."""
    for sample in samples:
        for name in ('masks', 'neg_masks') if 'prompts' in sample else ():
            mask = sample.prompts.get(name)
            if mask is None or tuple(mask.shape[-2:]) == tuple(sample.batch_input_shape):
                continue
            if tuple(mask.shape[-2:]) != tuple(sample.img_shape[:2]):
                raise ValueError(f'{sample_origin(sample)}: prompts.{name} are {tuple(mask.shape[-2:])} px but the '
                                 f'resized image {tuple(sample.img_shape[:2])}')
            (height, width), (out_height, out_width) = mask.shape[-2:], sample.batch_input_shape
            padded = F.pad(mask, (0, out_width - width, 0, out_height - height))
            sample.prompts.set_field(padded, name)


def check_text(sample: DetDataSample) -> None:
    """Raise unless the sample has names to look for, which become a tuple (``read_sample_text``)."""
    if 'text' not in sample:
        raise KeyError(f'{sample_origin(sample)}: the sample has no `text`; give it by return_classes=True of the data '
                       "set and pack it, with 'text' in the meta_keys of PackDetInputs or by PackGLEEInputs")
    sample.set_metainfo(dict(text=read_sample_text(sample.text, sample.get('tokens_positive'),
                                                   f'{sample_origin(sample)}: `text`')))

"""Pictures to a padded, normalised batch."""
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from ...structures.sample_origin import sample_origin
from ...structures.sample_text import has_phrases, sample_names


@MODELS.register_module()
class GLEEDataPreprocessor(DetDataPreprocessor):
    """mmdet's preprocessor with GLEE's values, and prompts padded like masks.

    A sample needs ``text``, whatever data set it is from (``check_samples``). Pictures are normalised
    (RGB), padded with zeros after that to multiples of 32 and stacked, and in training the masks are padded to the same
    size and the batch augments run, all by the base class. ``prompts`` of a sample are padded like its masks, also at
    test.

    Args:
        mean, std, bgr_to_rgb, pad_size_divisor, pad_mask: as in the base class, with the values of all GLEE models
            as defaults.
        channels_last (bool): memory layout of ``inputs``; convolutions on a CPU are faster with it.
        batch_augments (Sequence[dict] | None): as in the base class; by default the vocabulary of the batch is drawn
            and batches of sources with a ``prompt_prob`` may become prompt batches.
        **kwargs: the base class's other arguments.

    Raises:
        KeyError: a sample without ``text`` in training; at test the detector has names for it or raises.
        ValueError: empty text, not one sentence for each object without a label, or prompts of another size than the
            picture; source and image are named.
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
        check_samples(data.get('data_samples') or (), training)
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


def check_samples(samples: Sequence[DetDataSample], training: bool) -> None:
    """Make ``text`` of every sample a tuple of names, and complete what follows from it (``read_sentences``).

    At test a sample may be without text, and a caption with ``tokens_positive`` stays, out of which mmdet's metrics cut
    the names themselves.

    Raises:
        KeyError: a sample without ``text`` in training.
        ValueError: as of ``GLEEDataPreprocessor``.
    """
    for sample in samples:
        if 'text' not in sample:
            if not training:
                continue
            raise KeyError(f'{sample_origin(sample)}: the sample has no `text`; give it by return_classes=True of the '
                           "data set or SetSource(text=[...]) and pack it, with 'text' in the meta_keys of "
                           'PackDetInputs or PackTrackInputs, or by PackGLEEInputs')
        names = sample_names(sample)
        read_sentences(sample, len(names))
        if training or not has_phrases(sample):
            sample.set_metainfo(dict(text=names))


def read_sentences(sample: DetDataSample, num_sentences: int) -> None:
    """Complete a sample whose objects have no labels: each sentence of ``text`` means one of them, in order.

    So come the samples of stock ``RefCocoDataset``, which has masks alone. The objects get their labels and, from the
    masks, their boxes, and the sample its ``text_mode``.

    Raises:
        ValueError: there are not as many objects as sentences.
    """
    objects = sample.get('gt_instances')
    if 'text_mode' in sample or objects is None or 'labels' in objects or not len(objects):
        return
    if len(objects) != num_sentences:
        raise ValueError(f'{sample_origin(sample)}: its {len(objects)} objects have no labels, so that each needs a '
                         f'sentence, but `text` has {num_sentences}')
    sample.set_metainfo(dict(text_mode='expression'))
    objects.labels = torch.arange(len(objects))
    if 'bboxes' not in objects:
        objects.bboxes = objects.masks.get_bboxes('hbox').tensor

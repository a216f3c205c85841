"""Pictures at the size that the start of a fine-tune learned from."""
from contextlib import contextmanager
from typing import Iterator

import torch.nn.functional as F
from mmdet.structures import SampleList
from mmengine.model.utils import stack_batch
from torch import Tensor


@contextmanager
def resized(inputs: Tensor, samples: SampleList, side: int, pad_size_divisor: int) -> Iterator[Tensor]:
    """A batch with the shorter side of each picture resized; meanwhile its samples tell that size.

    Args:
        inputs (Tensor): (B, 3, H, W) normalised and padded.
        samples (SampleList): with ``img_shape`` and ``batch_input_shape``, as before afterwards.
        side (int): px.
        pad_size_divisor (int): of the padded batch.

    Yields:
        Tensor: (B, 3, h, w) padded.
    """
    before, pictures = [(sample.img_shape, sample.batch_input_shape) for sample in samples], []
    for picture, sample in zip(inputs, samples):
        height, width = sample.img_shape[:2]
        factor = side / min(height, width)
        size = int(height * factor + 0.5), int(width * factor + 0.5)
        pictures.append(F.interpolate(picture[None, :, :height, :width], size, mode='bilinear', antialias=True)[0])
    batch = stack_batch(pictures, pad_size_divisor)
    for picture, sample in zip(pictures, samples):
        sample.set_metainfo(dict(img_shape=tuple(picture.shape[1:]), batch_input_shape=tuple(batch.shape[2:])))
    try:
        yield batch
    finally:
        for sample, (img_shape, batch_input_shape) in zip(samples, before):
            sample.set_metainfo(dict(img_shape=img_shape, batch_input_shape=batch_input_shape))

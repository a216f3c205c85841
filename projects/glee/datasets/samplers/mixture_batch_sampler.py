"""Batches of one source and one orientation."""
import collections
from typing import Iterator, List, Sequence, Union

import numpy as np
from mmdet.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from ..mixture import Draw


@DATA_SAMPLERS.register_module()
class MixtureBatchSampler(Sampler):
    """Collects draws into batches that share source and orientation (DESIGN section 6).

    Two buckets per source, by original width > height; a bucket is emitted when it holds the
    source's batch size. Batches never mix sources, so ``text_mode``, ``supervision`` and
    ``label_table`` agree inside one.

    Args:
        sampler (MixtureSampler): infinite stream of draws of this rank.
        batch_size (int | Sequence[int]): images per batch, one number or one per source.

    Raises:
        ValueError: wrong number of batch sizes or a size below 1.
        KeyError: a source whose records lack ``width`` and ``height``.
    """

    def __init__(self, sampler: Sampler, batch_size: Union[int, Sequence[int]] = 2) -> None:
        self.sampler = sampler
        self.dataset = sampler.dataset
        num_sources = len(getattr(self.dataset, 'datasets', [self.dataset]))
        sizes = [batch_size] * num_sources if isinstance(batch_size, int) else list(batch_size)
        if len(sizes) != num_sources or min(sizes) < 1:
            raise ValueError(f'`batch_size` must give {num_sources} positive numbers, one per '
                             f'source, got {batch_size}')
        self.batch_size = max(sizes)  # mmengine reads it to scale learning rates
        self.batch_sizes = sizes
        self.skipped = 0
        self._wide = np.full(len(self.dataset), -1, dtype=np.int8)  # -1: not looked up yet

    def bucket(self, index: int) -> tuple:
        """(source, width > height) of one image."""
        if self._wide[index] < 0:
            info = self.dataset.get_data_info(index)
            if 'width' not in info or 'height' not in info:
                raise KeyError(
                    f'the record of {info.get("img_path", index)} has no `width` and `height`, '
                    'which batches of one orientation need; for REFER files use ReferDataset')
            self._wide[index] = info['width'] > info['height']
        source = self.dataset.get_dataset_source(index) if hasattr(
            self.dataset, 'get_dataset_source') else 0
        return source, bool(self._wide[index])

    def __iter__(self) -> Iterator[List[Draw]]:
        """Batches for ever; the first ``skipped`` are formed by index only and thrown away."""
        buckets = collections.defaultdict(list)
        formed = 0
        for draw in self.sampler:
            key = self.bucket(int(draw))
            buckets[key].append(draw)
            if len(buckets[key]) == self.batch_sizes[key[0]]:
                batch = buckets.pop(key)
                formed += 1
                if formed > self.skipped:
                    yield batch

    def skip(self, num_batches: int) -> None:
        """Start the next iteration ``num_batches`` later without loading anything."""
        self.skipped += num_batches

    def __len__(self) -> int:
        """Batches in as many draws as the mixture has images (the stream has no end)."""
        return max(1, len(self.sampler) // self.batch_size)

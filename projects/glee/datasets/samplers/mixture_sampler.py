"""The infinite weighted stream of indices that all ranks share."""
import itertools
import math
from typing import Iterator, Optional, Sequence

import numpy as np
from mmdet.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from ..mixture import Draw


def repeat_factors(dataset, threshold: float) -> np.ndarray:
    """LVIS repeat factors of the images of one source, normalised to mean 1.

    f(c) is the share of images that hold category c, r(c) = max(1, sqrt(threshold / f(c))), and an
    image has the largest r(c) of its categories (1 without any).

    Args:
        dataset: anything with ``__len__`` and ``get_cat_ids(index)``.
        threshold (float): share below which a category is repeated; 0 repeats nothing.

    Returns:
        np.ndarray: (size,), mean 1.
    """
    if threshold <= 0:
        return np.ones(len(dataset))
    categories = [set(dataset.get_cat_ids(i)) for i in range(len(dataset))]
    counts = np.unique(list(itertools.chain.from_iterable(categories)), return_counts=True)
    repeat = {int(c): max(1.0, math.sqrt(threshold * len(dataset) / n)) for c, n in zip(*counts)}
    factors = np.array([max((repeat[int(c)] for c in cats), default=1.0) for cats in categories])
    return factors / factors.mean()


@DATA_SAMPLERS.register_module()
class MixtureSampler(Sampler):
    """Draws images with replacement from a mixture of sources (DESIGN section 6).

    The weight of an image of source i is (max size / size_i) · ratio_i / Σ ratio · repeat factor,
    that is: a source with probability ratio_i / Σ ratio, then an image of it in proportion to its
    repeat factor. There is one stream of draws; rank r of W sees draws r, r + W, r + 2W, ... Draw n
    is a function of (seed, n), computed in blocks, so skipping costs nothing.

    Args:
        dataset: a :class:`MixtureDataset` (anything with ``datasets``), or one plain source.
        ratios (Sequence[float]): sampling ratio of each source; 0 leaves a source out.
        repeat_thrs (Sequence[float], optional): LVIS repeat-factor threshold of each source; None
            or 0 switches it off, as the released models do.
        seed (int, optional): seed of the stream; None draws one that all ranks share.
        share (float): the part of each source's images that is drawn at all, above 0 up to 1, rounded up. Which ones
            does not depend on ``seed``, and a smaller share is a part of a larger one (data scaling, supplement 3.2).
            A sample that turns out to be unusable is replaced by one of the whole source.

    Raises:
        ValueError: lengths differ, a ratio is negative, all are 0, a drawn source is empty, or ``share`` is no part.
    """

    block = 4096

    def __init__(self, dataset, ratios: Sequence[float] = (1.0,),
                 repeat_thrs: Optional[Sequence[float]] = None,
                 seed: Optional[int] = None,
                 share: float = 1.0) -> None:
        if not 0 < share <= 1:
            raise ValueError(f'`share` must be above 0 and at most 1, got {share}')
        self.dataset = dataset
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.skipped = 0
        sources = list(getattr(dataset, 'datasets', [dataset]))
        repeat_thrs = [0.0] * len(sources) if repeat_thrs is None else repeat_thrs
        self.sizes = [len(source) for source in sources]
        self._check(ratios, repeat_thrs)
        self._source_ends = np.cumsum(np.asarray(ratios, dtype=np.float64) / sum(ratios))
        self._offsets = np.cumsum([0] + self.sizes[:-1])
        # the images that are drawn, or None for all
        self._drawn = [None if share == 1 else np.sort(np.random.default_rng(number).permutation(size)[
            :math.ceil(share * size)]) for number, size in enumerate(self.sizes)]
        # cumulative repeat factors, or None where all images of the source are alike
        self._image_ends = [
            self._ends(repeat_factors(source, thr), drawn) if thr > 0 else None
            for source, thr, drawn in zip(sources, repeat_thrs, self._drawn)]

    @staticmethod
    def _ends(factors: np.ndarray, drawn: Optional[np.ndarray]) -> np.ndarray:
        factors = factors if drawn is None else factors[drawn] / factors[drawn].mean()
        return np.cumsum(factors) / len(factors)

    def _check(self, ratios: Sequence[float], repeat_thrs: Sequence[float]) -> None:
        if len(ratios) != len(self.sizes) or len(repeat_thrs) != len(self.sizes):
            raise ValueError(
                f'the mixture has {len(self.sizes)} sources but `ratios` has {len(ratios)} entries '
                f'and `repeat_thrs` {len(repeat_thrs)}')
        if min(ratios) < 0 or sum(ratios) <= 0:
            raise ValueError(f'`ratios` must be >= 0 and not all 0, got {list(ratios)}')
        empty = [i for i, (size, r) in enumerate(zip(self.sizes, ratios)) if r > 0 and size == 0]
        if empty:
            raise ValueError(f'sources {empty} have a positive ratio but no image')

    def indices(self, block: int) -> np.ndarray:
        """Indices of draws ``block * self.block`` onwards: (self.block,) int64."""
        uniform = np.random.default_rng([self.seed, block]).random((2, self.block))
        last = len(self.sizes) - 1
        source = np.searchsorted(self._source_ends, uniform[0], side='right').clip(max=last)
        index = np.empty(self.block, dtype=np.int64)
        for i in np.unique(source):
            chosen, drawn = source == i, self._drawn[i]
            size = self.sizes[i] if drawn is None else len(drawn)
            if self._image_ends[i] is None:
                inside = (uniform[1, chosen] * size).astype(np.int64)
            else:
                inside = np.searchsorted(self._image_ends[i], uniform[1, chosen], side='right')
            inside = inside.clip(max=size - 1)
            index[chosen] = self._offsets[i] + (inside if drawn is None else drawn[inside])
        return index

    def __iter__(self) -> Iterator[Draw]:
        """This rank's draws, for ever."""
        current, block = None, -1
        for step in itertools.count(self.skipped):
            number = self.rank + step * self.world_size
            if number // self.block != block:
                block = number // self.block
                current = self.indices(block)
            yield Draw.make(int(current[number % self.block]), number, self.seed)

    def skip(self, num_samples: int) -> None:
        """Start the next iteration ``num_samples`` of this rank's draws later."""
        self.skipped += num_samples

    def __len__(self) -> int:
        """Number of images in the mixture (the stream itself has no end)."""
        return sum(self.sizes)

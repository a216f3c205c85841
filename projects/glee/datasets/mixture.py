"""Several sources as one data set whose items depend on (seed, draw number) alone."""
from typing import Any, Sequence, Union

from mmdet.datasets import ConcatDataset
from mmdet.registry import DATASETS
from mmengine.dataset import BaseDataset

from ..utils.rng import isolated_rng


class Draw(int):
    """An index into a data set that knows which draw of which random stream it is.

    It is an ``int``, so any data set accepts it; :class:`MixtureDataset` also reads

    Attributes:
        number (int): position in the one stream that all ranks share.
        seed (int): seed of that stream.
    """

    number: int
    seed: int

    @classmethod
    def make(cls, index: int, number: int, seed: int) -> 'Draw':
        """Bind an index to its place in the stream."""
        draw = cls(index)
        draw.number, draw.seed = number, seed
        return draw


@DATASETS.register_module()
class MixtureDataset(ConcatDataset):
    """mmdet's ``ConcatDataset`` for sources of different vocabularies, repeatable draw by draw.

    An item fetched with a :class:`Draw` runs its pipeline under random streams derived from
    (seed, draw number) and leaves the caller's streams alone. Hence the number of loader workers,
    prefetching and an interruption do not change what is drawn, and the replacement of an unusable
    sample (the pipeline returned None) is the same each time. Plain integers work as ever.
    ``metainfo`` has the names of all sources as ``classes``, each once; checkpoints take it along.

    Args:
        datasets (Sequence[dict | BaseDataset]): the sources.
        lazy_init (bool): files of the sources are read when the first item is asked for.
    """

    def __init__(self, datasets: Sequence[Union[BaseDataset, dict]],
                 lazy_init: bool = False) -> None:
        later = dict(lazy_init=True) if lazy_init else {}
        built = [DATASETS.build({**d, **later}) if isinstance(d, dict) else d for d in datasets]
        keys = {key for dataset in built for key in dataset.metainfo}
        # sources differ in names and palettes; the base class compares and may trip over that
        super().__init__(built, lazy_init=lazy_init, ignore_keys=list(keys))
        self._collect_names()

    def full_init(self) -> None:
        """Read the files of all sources."""
        super().full_init()
        self._collect_names()

    def _collect_names(self) -> None:
        names = (name for dataset in self.datasets for name in dataset.metainfo.get('classes', ()))
        self._metainfo = dict(classes=tuple(dict.fromkeys(names)))

    def __getitem__(self, idx: Union[int, Draw]) -> Any:
        """The packed sample of one draw (or of a plain index)."""
        if not isinstance(idx, Draw):
            return super().__getitem__(idx)
        with isolated_rng(idx.seed, idx.number):
            return super().__getitem__(int(idx))

"""A few pictures of a data set, chosen as for few-shot detection."""
import random
from typing import List, Optional, Sequence

from mmdet.registry import DATASETS

from .text_datasets import TextCocoDataset


def choose_shots(ids: Sequence, labels: Sequence[Sequence[int]], shots: int, seed: int) -> List[int]:
    """Which pictures have about ``shots`` of every category (EVAL.md M23).

    Pictures are walked in a random order; one is taken if it shows a category of which fewer than ``shots`` were
    taken. It then counts for all categories that it shows.

    Args:
        ids: of the pictures; equal ids in another order give the same pictures.
        labels: of the objects in each picture.
        shots: pictures of a category.
        seed: of the order; the benchmark's are 3, 30 and 300.

    Returns:
        list[int]: positions of the pictures, in the random order.
    """
    order = sorted(range(len(ids)), key=lambda i: (isinstance(ids[i], str), ids[i]))
    random.Random(seed).shuffle(order)
    missing = {label: shots for found in labels for label in found}
    chosen = []
    for position in order:
        shown = set(labels[position])
        if any(missing[label] > 0 for label in shown):
            chosen.append(position)
            for label in shown:
                missing[label] -= 1
    return chosen


@DATASETS.register_module()
class FewShotCocoDataset(TextCocoDataset):
    """``TextCocoDataset`` of a few pictures, see :func:`choose_shots`; names are those of the whole file.

    Args:
        shots (int, optional): pictures of each category; None takes all.
        shot_seed (int): seed of the choice.

    Raises:
        ValueError: ``shots`` is less than 1.
    """

    def __init__(self, *args, shots: Optional[int] = None, shot_seed: int = 3, **kwargs) -> None:
        if shots is not None and (not isinstance(shots, int) or shots < 1):
            raise ValueError(f'shots={shots!r} must be a number of pictures from 1, or None for all')
        self.shots, self.shot_seed = shots, shot_seed
        super().__init__(*args, **kwargs)

    def full_init(self) -> None:
        """Open the store and keep the chosen pictures."""
        if self._fully_initialized:
            return
        super().full_init()
        if self.shots is not None:
            items = [self.get_data_info(i) for i in range(len(self))]
            labels = [[row['bbox_label'] for row in item['instances']] for item in items]
            chosen = choose_shots([item['img_id'] for item in items], labels, self.shots, self.shot_seed)
            self.data_bytes, self.data_address = self._get_serialized_subset(chosen)

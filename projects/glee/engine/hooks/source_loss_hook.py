"""Losses of each source of a mixture, for curves of their own."""
from collections import defaultdict
from typing import Optional

import torch
from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner


@HOOKS.register_module()
class SourceLossHook(Hook):
    """Writes the mean losses of each source, ``<source>/<loss>``, to the file of the visualizer (scalars.json).

    Losses of the last layer and their sum; batches whose samples do not say their ``source`` count nowhere. Of several
    processes it sees the batches of the first. ``glee analyse`` draws them.

    Args:
        interval (int): iterations between two lines, over which the mean is taken.
    """

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self._sums: dict[str, float] = defaultdict(float)
        self._counts: dict[str, int] = defaultdict(int)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Collect, and write from time to time."""
        if not is_main_process():
            return
        sources = sources_of(data_batch)
        for name, value in (outputs or {}).items() if sources else ():
            if name.startswith('loss'):
                self._sums[f'{sources}/{name}'] += torch.as_tensor(value).item()
                self._counts[f'{sources}/{name}'] += 1
        if self._counts and self.every_n_train_iters(runner, self.interval):
            means = {name: total / self._counts[name] for name, total in self._sums.items()}
            runner.visualizer.add_scalars(means, step=runner.iter + 1)
            self._sums.clear()
            self._counts.clear()


def sources_of(data_batch: Optional[dict]) -> str:
    """The source of a batch, ``a+b`` of a mixed one, '' where nobody says."""
    samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
    samples = samples if isinstance(samples, (list, tuple)) else ()
    frames = [frame for sample in samples for frame in getattr(sample, 'video_data_samples', [sample])]
    return '+'.join(sorted({str(frame.source) for frame in frames if getattr(frame, 'source', None)}))

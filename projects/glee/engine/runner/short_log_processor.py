"""Lines of training and testing in two lengths: all of it for the log file, what a person reads for the console."""
import re

from mmdet.registry import LOG_PROCESSORS
from mmengine.runner import LogProcessor

from ...utils.console import LogLine, is_terminal


@LOG_PROCESSORS.register_module()
class ShortLogProcessor(LogProcessor):
    """mmengine's log processor, whose lines also have a short form: the total loss and each term's mean over layers.

    ``d0.loss_mask``, ``loss_mask`` and ``dn.d0.loss_mask`` are one term, ``mask``; terms that are 0 are left out.
    """

    def get_log_after_iter(self, runner, batch_idx: int, mode: str) -> tuple[dict, LogLine]:
        """As in mmengine; the line is a ``LogLine``."""
        tag, text = super().get_log_after_iter(runner, batch_idx, mode)
        eta = re.search(r'eta: ([^ ]+( days?, [^ ]+)?)', text)
        values = {name.removeprefix(f'{mode}/'): value for name, value in tag.items()}
        parts = [_head(text)]
        if mode == 'train':
            parts += [f'{name} {value:.3g}' for name, value in loss_terms(values).items()]
            lr = values.get('base_lr', values.get('lr'))
            parts += [] if lr is None else [f'lr {lr:.1e}']
            parts += [f'{values["time"]:.2f} s'] if 'time' in values else []
            parts += [f'{values["memory"]} MB'] if values.get('memory') else []
        parts += [f'eta {eta[1]}'] if eta else []
        return tag, LogLine(text, '' if mode != 'train' and is_terminal() else '  '.join(parts))

    def get_log_after_epoch(self, runner, batch_idx: int, mode: str,
                            with_non_scalar: bool = False) -> tuple[dict, LogLine]:
        """As in mmengine; the line is a ``LogLine`` of the metrics."""
        tag, text = super().get_log_after_epoch(runner, batch_idx, mode, with_non_scalar)
        numbers = [f'{name}: {value:.{self.num_digits}f}' for name, value in tag.items()
                   if isinstance(value, float) and name.rpartition('/')[2] not in ('time', 'data_time')]
        return tag, LogLine(text, ('  ' if len(numbers) < 4 else '\n  ').join([_head(text), *numbers]))


def _head(text: str) -> str:
    """'train [50/400]' of a line of mmengine."""
    return re.sub(r'(Iter|Epoch)\((\w+)\)', r'\2', text.partition('  ')[0])


def loss_terms(values: dict[str, float]) -> dict[str, float]:
    """The total loss and the mean of each term over its layers, from the names and values of a log."""
    terms: dict[str, list[float]] = {}
    for name, value in values.items():
        term = name.rpartition('.')[2]
        if term.startswith('loss'):
            terms.setdefault(term.removeprefix('loss_'), []).append(float(value))
    means = {name: sum(found) / len(found) for name, found in terms.items()}
    return {name: mean for name, mean in means.items() if mean or name == 'loss'}

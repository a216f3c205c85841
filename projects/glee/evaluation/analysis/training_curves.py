"""The losses of a training, from the file that mmengine's runner leaves."""
import json
from collections import defaultdict
from pathlib import Path

STEP = 'step'


def read_scalars(folder: str | Path) -> dict[str, list[tuple[int, float]]]:
    """(iteration, value) of everything that the runs in a work folder logged, of a later run where two tell of a step.

    Reads ``<folder>/**/vis_data/scalars.json``; a line that was cut off is left out.

    Args:
        folder: work folder of a training.
    """
    curves: dict[str, dict[int, float]] = defaultdict(dict)
    for path in sorted(Path(folder).glob('**/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if STEP in row:
                for name, value in row.items():
                    if isinstance(value, (int, float)):
                        curves[name][row[STEP]] = value
    return {name: sorted(values.items()) for name, values in curves.items()}


def groups_of_losses(names: list[str]) -> dict[str, list[str]]:
    """The curves that belong into one picture: of each loss its parts, which are named ``<part>.<loss>``.

    ``loss_cls``, ``d0.loss_cls`` and ``dn.loss_cls`` are one group, ``cls``; a source's losses, ``<source>/<loss>``,
    are a group of the source.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        source, mark, loss = name.rpartition('/')
        last = loss.rpartition('.')[2]
        if last.startswith('loss'):
            groups[source if mark else last.removeprefix('loss_').removeprefix('loss') or 'all losses'].append(name)
    return dict(groups)


def numbers_of_test(folder: str | Path) -> dict[str, float]:
    """The numbers of the last test in a work folder; nothing if there is none."""
    for path in sorted(Path(folder).glob('*/*.json'), reverse=True):
        lines = path.read_text().splitlines()
        try:
            numbers = json.loads(lines[-1]) if lines else None
        except ValueError:
            continue
        if isinstance(numbers, dict):
            return {name: value for name, value in numbers.items()
                    if isinstance(value, (int, float)) and name not in ('time', 'data_time', STEP)}
    return {}

"""The paper's numbers, which are in ``metafile.yml`` alone."""
from functools import cache
from typing import Optional

import yaml

from ..configs.config_file import CONFIGS
from .suite import SIZES, Benchmark

STAGES = (2, 3)


def expected_numbers(benchmark: Benchmark, size: str, stage: int = 2) -> dict[str, tuple[float, int]]:
    """What the paper has for a benchmark.

    Args:
        benchmark: of the table.
        size: key of ``SIZES``.
        stage: of the checkpoint. Where the paper has no number of stage 3, that of stage 2 stands for it.

    Returns:
        dict[str, tuple[float, int]]: number, as printed, and its stage, by the key of our metric.
    """
    found = {}
    for number in benchmark.numbers_of(size):
        for source in dict.fromkeys((stage, 2)):
            value = paper_number(SIZES[size], number.task, benchmark.title, number.name, source)
            if number.task and value is not None:
                found[number.key] = (value, source)
                break
    return found


def paper_number(size: str, task: str, dataset: str, name: str, stage: int = 2) -> Optional[float]:
    """A number of the paper by the words of ``metafile.yml``; None where it has none."""
    return _paper().get((size, stage, task, dataset, name))


@cache
def _paper() -> dict[tuple, float]:
    """Numbers by size, stage, task, data set and name; what we have measured ourselves is left out."""
    models = yaml.safe_load((CONFIGS / 'metafile.yml').read_text(encoding='utf-8'))['Models']
    return {(model['Metadata']['Size'], 3 if model['Name'].endswith('_stage3') else 2, result['Task'],
             result['Dataset'], name): float(value)
            for model in models if not model['Metadata']['Numbers'].startswith('measured')
            for result in model['Results'] for name, value in result['Metrics'].items()}

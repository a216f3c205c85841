"""Numbers behind which there is nothing."""
import logging
import math

from mmengine.logging import print_log


def drop_unscored(metric: str, numbers: dict[str, float | None], missing: float | None = None) -> dict[str, float]:
    """Leave out the numbers of a metric behind which there is nothing, and say so.

    Args:
        metric (str): name of the metric, for the message.
        numbers (dict): a number is None, not a number, or ``missing`` where nothing was annotated for it to be about.
        missing (float | None): what the metric's program has in place of None, -1 for those of COCO and LVIS.
    """
    unscored = [name for name, value in numbers.items() if value is None or value == missing or math.isnan(value)]
    if unscored:
        print_log(f'{metric}: nothing was scored for {", ".join(unscored)}, since nothing of that kind is annotated; '
                  'left out', logger='current', level=logging.WARNING)
    return {name: value for name, value in numbers.items() if name not in unscored}

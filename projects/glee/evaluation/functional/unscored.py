"""Numbers behind which there is nothing."""
import logging

from mmengine.logging import print_log


def drop_unscored(metric: str, numbers: dict[str, float | None]) -> dict[str, float]:
    """Leave out the numbers of a metric that are None, and say so.

    Args:
        metric (str): name of the metric, for the message.
        numbers (dict): a number is None where nothing was annotated that it could be about.
    """
    unscored = [name for name, value in numbers.items() if value is None]
    if unscored:
        print_log(f'{metric}: nothing was scored for {", ".join(unscored)}, since nothing of that kind is annotated; '
                  'left out', logger='current', level=logging.WARNING)
    return {name: value for name, value in numbers.items() if value is not None}

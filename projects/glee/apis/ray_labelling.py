"""Pictures are labelled by many workers of Ray: which runs where, and what is done again, is decided by Ray."""
import json
import logging
import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import Callable, Iterator, Mapping, Optional

from .inferencer import GLEEInferencer
from .labelling import PictureLabeller, PictureLabels

MOST_BLOCKS = 20_000  # the driver keeps a record of each


class LabelBlock:
    """What Ray Data maps over blocks of paths, in actors that keep their model."""

    def __init__(self, make_inferencer: Callable[[], GLEEInferencer], thresholds: Mapping[str, float],
                 batch_size: int) -> None:
        self.label = PictureLabeller(make_inferencer(), thresholds, batch_size)

    def __call__(self, block: dict) -> dict:
        """``dict(path=(N,))`` to ``dict(labels=N JSON texts)``, a list (path, row, error) each."""
        return dict(labels=[json.dumps(labels) for labels in self.label(block['path'].tolist())])


def label_on_ray(make_inferencer: Callable[[], GLEEInferencer], paths: list[str], thresholds: Mapping[str, float],
                 batch_size: int, address: str, workers: Optional[int]) -> Iterator[PictureLabels]:
    """The labels of each picture, in the order in which they are finished.

    A block of pictures is what a worker is given at a time and what is done again when the worker is lost; it is one
    batch while there are at most 20,000 of them.

    Args:
        make_inferencer: called once in every worker; it is sent there, so it holds plain values.
        paths: pictures, which every machine of the cluster sees by these paths.
        thresholds, batch_size: as of ``PictureLabeller``.
        address: 'local', or that of a cluster (``auto``, ``ray://host:10001``, ``host:6379``).
        workers: how many; None for one per GPU, or without any one per core.

    Raises:
        ImportError: Ray is not installed.
        ConnectionError: there is no cluster at the address.
    """
    try:
        import ray.data
    except ImportError as error:
        raise ImportError('--ray needs Ray Data: pip install -r requirements/scale.txt') from error
    with _cluster(ray, address):
        resources = ray.cluster_resources()
        on_gpu = resources.get('GPU', 0) >= 1
        workers = workers or max(int(resources.get('GPU' if on_gpu else 'CPU', 1)), 1)
        size = max(batch_size, -(-len(paths) // MOST_BLOCKS))
        blocks = ray.data.from_items([dict(path=path) for path in paths],
                                     override_num_blocks=-(-len(paths) // size))
        labels = blocks.map_batches(
            LabelBlock, fn_constructor_args=(make_inferencer, dict(thresholds), batch_size), batch_size=None,
            compute=ray.data.ActorPoolStrategy(size=workers), num_cpus=1, num_gpus=1 if on_gpu else None)
        for row in labels.iter_rows():
            yield PictureLabels(*json.loads(row['labels']))


@contextmanager
def _cluster(ray, address: str) -> Iterator[None]:
    """Connected to a cluster, or to one of this machine that ends with the block and leaves no file."""
    folder = tempfile.mkdtemp(prefix='glee_ray_') if address == 'local' else None
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # nothing is reported to Ray's makers
    logging.getLogger('ray.data').setLevel(logging.ERROR)  # it names log files that are removed
    context = ray.data.DataContext.get_current()
    bars, context.enable_progress_bars = context.enable_progress_bars, False  # ours counts pictures
    try:
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, logging_level='error', include_dashboard=False,
                     **({} if folder is None else dict(_temp_dir=folder)))
        yield
    finally:
        context.enable_progress_bars = bars
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

"""The masks of one SA-1B image, from the JSON beside it."""
import logging
from typing import List, Optional

from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmengine.logging import print_log

from ...structures.row_values import BrokenRow, corners
from ..store.broken_rows import BrokenRows, summarize
from ..store.json_file import load_json
from ..store.rows import Row, read_rows
from .loading import SharedCount


@TRANSFORMS.register_module()
class LoadSA1BMasks(BaseTransform):
    """Gives each object of a :class:`SA1BDataset` item its RLE from ``mask_file``.

    The file must hold ``num_masks`` annotations in the order of the index; their boxes are compared.

    Args:
        skip_unreadable (bool): True (training) returns None for a file that is missing, broken or
            does not fit, so that another sample takes its place, and logs the running count.
        tolerance (float): how far a side of the two boxes may differ, px.
        backend_args (dict, optional): of mmengine's file client.

    Raises:
        ValueError: such a file when ``skip_unreadable`` is False.
    """

    def __init__(self, skip_unreadable: bool = False, tolerance: float = 1.0,
                 backend_args: Optional[dict] = None) -> None:
        self.skip_unreadable, self.tolerance = skip_unreadable, tolerance
        self.backend_args = backend_args
        self.skipped = SharedCount()

    def transform(self, results: dict) -> Optional[dict]:
        """Add ``mask`` to every record of ``instances``."""
        path = results['mask_file']
        try:
            broken = BrokenRows()
            content = load_json(path, 'annotations', backend_args=self.backend_args)
            rows = read_rows(content, 'annotations', path, broken)
            if broken.reasons:
                raise ValueError(summarize(broken.reasons, path))
            self._check(results, rows)
            results['instances'] = [
                dict(instance, mask=rows[instance['mask_index']]['segmentation'])
                for instance in results['instances']]
        except (OSError, ValueError) as error:
            message = f'cannot use masks {path}: {error}'
            if not self.skip_unreadable:
                raise ValueError(message) from error
            count = self.skipped.increment()
            print_log(f'{message}; another sample takes its place ({count} skipped so far)',
                      logger='current', level=logging.WARNING)
            return None
        return results

    def _check(self, results: dict, rows: List[Row]) -> None:
        if len(rows) != results['num_masks']:
            raise ValueError(f'it holds {len(rows)} masks, the index {results["num_masks"]} boxes; '
                             'make the index anew')
        for instance in results['instances']:
            row = rows[instance['mask_index']]
            try:
                box = corners(row.get('bbox'), results['width'], results['height'], usable=False)
                if not row.get('segmentation'):
                    raise BrokenRow('no mask')
            except BrokenRow as problem:
                raise ValueError(f'{row.where}: {problem}') from None
            if any(abs(a - b) > self.tolerance for a, b in zip(box, instance['bbox'])):
                raise ValueError(f'mask {instance["mask_index"]} has another box than in the index; '
                                 'make the index anew')

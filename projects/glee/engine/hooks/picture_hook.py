"""Pictures of predictions while testing, none of which overwrites another."""
import os.path as osp
from pathlib import Path
from typing import Iterator, Sequence

import numpy as np
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.registry import HOOKS
from mmengine.fileio import get

from ...datasets.store.output_names import below, claim
from ...datasets.store.pictures import read_picture


@HOOKS.register_module()
class PictureHook(DetVisualizationHook):
    """mmdet's ``DetVisualizationHook`` for tests of several folders and of several samples of one picture.

    A picture is called as below the folders that the data sets have in common (``train2014/a.jpg``); a second one of a
    name gets a number (``a_2.jpg``). Pictures are read as the pipeline reads them; a black one stands for one that
    cannot be read.

    Args:
        **kwargs: as for ``DetVisualizationHook``.
    """

    def after_test_iter(self, runner, batch_idx: int, data_batch: dict, outputs: Sequence) -> None:
        """Draw every sample of a batch."""
        if not self.draw:
            return
        for sample in outputs:
            self._test_index += 1
            out_file = None
            if self.test_out_dir is not None:
                folder = Path(runner.work_dir, runner.timestamp, self.test_out_dir)
                roots = list(dict.fromkeys(picture_folders(runner.test_dataloader.dataset)))
                out_file = str(claim(folder / below(sample.img_path, roots)))
            self._visualizer.add_datasample(
                osp.basename(sample.img_path) if self.show else 'test_img', self._read(sample), data_sample=sample,
                show=self.show, wait_time=self.wait_time, pred_score_thr=self.score_thr, out_file=out_file,
                step=self._test_index)

    def _read(self, sample) -> np.ndarray:
        """RGB uint8 (H, W, 3) at the size of the sample's masks."""
        if not sample.get('unreadable'):
            return read_picture(get(sample.img_path, backend_args=self.backend_args))
        return np.zeros((*sample.ori_shape[:2], 3), np.uint8)


def picture_folders(dataset) -> Iterator[str]:
    """The folders of the pictures of a data set, or of those that it wraps."""
    wrapped = [*getattr(dataset, 'datasets', ()), *filter(None, [getattr(dataset, 'dataset', None)])]
    for part in wrapped:
        yield from picture_folders(part)
    if not wrapped:
        prefix = getattr(dataset, 'data_prefix', None) or {}
        folder = prefix.get('img') or prefix.get('img_path') or getattr(dataset, 'data_root', None)
        if folder:
            yield folder

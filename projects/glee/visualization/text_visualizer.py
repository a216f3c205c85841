"""Pictures of samples, drawn as all our pictures are and named by the sample's own text."""
from typing import Optional

import mmcv
import numpy as np
from mmdet.registry import VISUALIZERS
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer

from ..structures.sample_text import sample_names
from .renderer import Renderer
from .sample_objects import predictions_of, truth_of

GAP = 8  # px between ground truth and prediction


@VISUALIZERS.register_module()
class TextLocalVisualizer(DetLocalVisualizer):
    """mmdet's visualizer with our ``Renderer``, naming objects by the sample's own ``text``.

    In an open vocabulary the names belong to the sample, not to the data set: a category list, or the
    expressions of this image. Samples without ``text`` have the names of the data set.

    Args:
        name (str), image (np.ndarray | None), vis_backends (list[dict] | None), save_dir (str | None): as in mmdet.
        min_side (int): smaller pictures are enlarged, see ``Renderer``.
    """

    def __init__(self, name: str = 'visualizer', image: Optional[np.ndarray] = None,
                 vis_backends: Optional[list] = None, save_dir: Optional[str] = None, min_side: int = 640) -> None:
        super().__init__(name, image, vis_backends, save_dir)
        self.renderer = Renderer(min_side=min_side)

    def draw(self, image: np.ndarray, sample: DetDataSample, draw_gt: bool = True, draw_pred: bool = True,
             pred_score_thr: float = 0.3) -> np.ndarray:
        """Ground truth and predictions side by side, or that of both which the sample has.

        Args:
            image: RGB uint8 (H, W, 3).
            sample: see ``truth_of`` and ``predictions_of``.
            draw_gt, draw_pred: leave one of both out.
            pred_score_thr: predictions below it are left out.

        Returns:
            np.ndarray: RGB uint8.
        """
        meta = self.dataset_meta if isinstance(self.dataset_meta, dict) else {}
        names = sample_names(sample) if sample.get('text') else tuple(meta.get('classes') or ())
        parts = [truth_of(sample, names)] * draw_gt + [predictions_of(sample, names, pred_score_thr)] * draw_pred
        drawn = [self.renderer(image, objects) for objects in parts if objects is not None]
        if not drawn:
            drawn = [self.renderer(image, [])]
        gap = np.full((drawn[0].shape[0], GAP, 3), 255, np.uint8)
        return np.concatenate([piece for part in drawn for piece in (gap, part)][1:], 1)

    def add_datasample(self, name: str, image: np.ndarray, data_sample: Optional[DetDataSample] = None,
                       draw_gt: bool = True, draw_pred: bool = True, show: bool = False, wait_time: float = 0,
                       out_file: Optional[str] = None, pred_score_thr: float = 0.3, step: int = 0) -> None:
        """Draw a sample and show it, write it to ``out_file``, or hand it to the backends; arguments as in mmdet."""
        image = np.ascontiguousarray(image.clip(0, 255).astype(np.uint8))
        sample = DetDataSample() if data_sample is None else data_sample.cpu()
        self.add_drawn(name, self.draw(image, sample, draw_gt, draw_pred, pred_score_thr), show, wait_time, out_file,
                       step)

    def add_drawn(self, name: str, picture: np.ndarray, show: bool = False, wait_time: float = 0,
                  out_file: Optional[str] = None, step: int = 0) -> None:
        """Show a finished picture, write it to ``out_file``, or hand it to the backends; arguments as in mmdet."""
        self.set_image(picture)
        if show:
            self.show(picture, win_name=name, wait_time=wait_time)
        if out_file is not None:
            mmcv.imwrite(picture[..., ::-1], out_file)
        else:
            self.add_image(name, picture, step)

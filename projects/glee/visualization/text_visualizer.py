"""Pictures whose labels are the text of the sample."""
import numpy as np
from mmdet.registry import VISUALIZERS
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer

from ..structures.sample_text import sample_names


@VISUALIZERS.register_module()
class TextLocalVisualizer(DetLocalVisualizer):
    """mmdet's visualizer, naming objects by the sample's own ``text``.

    In an open vocabulary the names belong to the sample, not to the data set: a category list, or the
    expressions of this image. Samples without ``text`` are drawn as in the base class.
    """

    def add_datasample(self, name: str, image: np.ndarray, data_sample: DetDataSample | None = None,
                       **kwargs) -> None:
        """Draw ground truth and predictions side by side; arguments as in the base class."""
        meta = dict(self.dataset_meta) if isinstance(self.dataset_meta, dict) else {}
        if data_sample is not None and data_sample.get('text'):
            names = sample_names(data_sample)
            palette = meta.get('palette') if names == meta.get('classes') else None
            meta.update(classes=names, palette=palette or 'random')
        before, self.dataset_meta = self.dataset_meta, meta
        try:
            super().add_datasample(name, image, data_sample, **kwargs)
        finally:
            self.dataset_meta = before

"""Reading COCO's panoptic maps."""
from mmdet.datasets.transforms import LoadAnnotations, LoadPanopticAnnotations
from mmdet.registry import TRANSFORMS

from ...structures.panoptic_ids import rgb2id


@TRANSFORMS.register_module()
class LoadPanopticMap(LoadPanopticAnnotations):
    """mmdet's ``LoadPanopticAnnotations``, which cannot be built without panopticapi.

    All it uses of that package, which is in no package index, is the colour code of segment ids.

    Args:
        with_bbox (bool), with_label (bool), with_mask (bool), with_seg (bool): what is loaded.
        backend_args (dict | None): of mmengine's file backend.
    """

    def __init__(self,
                 with_bbox: bool = True,
                 with_label: bool = True,
                 with_mask: bool = True,
                 with_seg: bool = True,
                 backend_args: dict | None = None) -> None:
        LoadAnnotations.__init__(
            self, with_bbox=with_bbox, with_label=with_label, with_mask=with_mask, with_seg=with_seg,
            backend_args=backend_args)
        self.rgb2id = rgb2id

"""The GLEE detector."""
from mmdet.models.detectors import MaskFormer
from mmdet.registry import MODELS


@MODELS.register_module()
class GLEE(MaskFormer):
    """General object foundation model (GLEE, CVPR 2024) on mmdet's mask-classification detector.

    ``loss``, ``predict`` and ``tensor`` modes, backbone and neck are those of ``MaskFormer``; what is
    GLEE's lives in ``panoptic_head`` (``GLEEHead``) and ``panoptic_fusion_head`` (``GLEEFusionHead``).
    ``mode='tensor'`` returns the dict documented in ``GLEEHead.forward``.
    """

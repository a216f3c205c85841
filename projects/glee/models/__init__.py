"""Registered models of GLEE."""
from .early_fusion import EarlyFusion
from .glee import GLEE
from .glee_fusion_head import GLEEFusionHead
from .glee_head import GLEEHead
from .maskdino_decoder import MaskDINODecoder
from .maskdino_pixel_decoder import MaskDINOPixelDecoder

__all__ = ['GLEE', 'EarlyFusion', 'GLEEFusionHead', 'GLEEHead', 'MaskDINODecoder', 'MaskDINOPixelDecoder']

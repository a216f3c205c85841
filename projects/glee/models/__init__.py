"""Registered models of GLEE."""
from .clip_text_encoder import CLIPTextEncoder, TextFeatures
from .clip_tokenizer import build_clip_tokenizer
from .early_fusion import EarlyFusion
from .glee import GLEE
from .glee_fusion_head import GLEEFusionHead
from .glee_head import GLEEHead
from .maskdino_decoder import MaskDINODecoder
from .maskdino_pixel_decoder import MaskDINOPixelDecoder

__all__ = [
    'CLIPTextEncoder', 'EarlyFusion', 'GLEE', 'GLEEFusionHead', 'GLEEHead', 'MaskDINODecoder',
    'MaskDINOPixelDecoder', 'TextFeatures', 'build_clip_tokenizer'
]

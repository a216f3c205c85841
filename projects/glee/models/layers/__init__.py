"""Parts of the pixel and object decoders."""
from .denoising import DenoisingGenerator
from .early_fusion import EarlyFusion
from .maskdino_decoder import MaskDINODecoder
from .maskdino_pixel_decoder import MaskDINOPixelDecoder

__all__ = [
    'DenoisingGenerator', 'EarlyFusion', 'MaskDINODecoder', 'MaskDINOPixelDecoder'
]

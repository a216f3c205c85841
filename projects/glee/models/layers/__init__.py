"""Parts of the pixel and object decoders."""
from .deformable_attention import DeformableAttention
from .denoising import DenoisingGenerator
from .early_fusion import EarlyFusion
from .maskdino_decoder import MaskDINODecoder
from .maskdino_pixel_decoder import MaskDINOPixelDecoder
from .query_selection import EncodedMemory, encode_memory, select_queries

__all__ = [
    'DeformableAttention', 'DenoisingGenerator', 'EarlyFusion', 'EncodedMemory', 'MaskDINODecoder',
    'MaskDINOPixelDecoder', 'encode_memory', 'select_queries'
]

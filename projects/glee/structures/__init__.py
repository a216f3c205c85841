"""What is handed from room to room: prompted objects, clips, masks, tracks."""
from .denoising_queries import DenoisingQueries
from .masks import Rle, decode, encode, read_mask, to_rle
from .palette import PALETTE, palette_picture
from .row_values import BrokenRow
from .track import Track, encode_mask

__all__ = [
    'PALETTE', 'BrokenRow', 'DenoisingQueries', 'Rle', 'Track', 'decode', 'encode', 'encode_mask', 'palette_picture',
    'read_mask', 'to_rle'
]

"""What is handed from room to room: prompted objects, clips, tracks."""
from .denoising_queries import DenoisingQueries
from .track import Track, encode_mask

__all__ = [
    'DenoisingQueries', 'Track', 'encode_mask'
]

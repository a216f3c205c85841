"""Conversions of the data sets' own files to the ones that the readers take."""
from .bdd import convert_bdd_images, convert_bdd_tracks
from .grit import convert_grit
from .openimages import convert_openimages
from .referring import convert_referring_videos, merge_refcoco
from .sa1b import convert_sa1b, thin_masks
from .shards import ConversionError, convert_shards
from .videos import convert_videos

__all__ = [
    'ConversionError', 'convert_bdd_images', 'convert_bdd_tracks', 'convert_grit', 'convert_openimages',
    'convert_referring_videos', 'convert_sa1b', 'convert_shards', 'convert_videos', 'merge_refcoco', 'thin_masks'
]

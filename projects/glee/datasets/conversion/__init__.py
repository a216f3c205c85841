"""Conversions of the data sets' own files to the ones that the readers take."""
from .bdd import convert_bdd_images, convert_bdd_tracks
from .command import run_conversion, show_progress
from .grit import convert_grit
from .lvis import convert_lvis_minival
from .odvg import convert_odvg
from .openimages import convert_openimages
from .png_videos import convert_png_videos, convert_ref_youtube_vos
from .refer import convert_refer
from .referring import convert_referring_videos, merge_refcoco
from .sa1b import convert_sa1b, thin_masks
from .shards import ConversionError, convert_shards
from .tao import convert_tao
from .uvo import convert_uvo
from .videos import convert_videos
from .visual_genome import convert_visual_genome
from .voc import convert_voc

__all__ = [
    'ConversionError', 'convert_bdd_images', 'convert_bdd_tracks', 'convert_grit', 'convert_lvis_minival',
    'convert_odvg', 'convert_openimages', 'convert_png_videos', 'convert_ref_youtube_vos', 'convert_refer',
    'convert_referring_videos', 'convert_sa1b', 'convert_shards', 'convert_tao', 'convert_uvo', 'convert_videos',
    'convert_visual_genome', 'convert_voc', 'merge_refcoco', 'run_conversion', 'show_progress', 'thin_masks'
]

"""What is handed from room to room: texts, prompted objects, clips, masks, queries, tracks, finished results."""
from .denoising_queries import DenoisingQueries
from .finished_items import FinishedItems
from .masks import Rle, decode, encode, read_mask, to_rle
from .palette import PALETTE, palette_picture
from .panoptic_ids import id2rgb, rgb2id
from .prompted_objects import ObjectPrompts, PromptedObjects
from .row_values import BrokenRow
from .sample_text import TEXT_MODES, as_names, has_phrases, read_names, read_sample_text, read_text_mode, sample_names
from .selected_queries import Segments, SelectedQueries
from .track import Track, encode_mask, track_instances

__all__ = [
    'PALETTE', 'TEXT_MODES', 'BrokenRow', 'DenoisingQueries', 'FinishedItems', 'ObjectPrompts', 'PromptedObjects',
    'Rle', 'Segments', 'SelectedQueries', 'Track', 'as_names', 'decode', 'encode', 'encode_mask', 'has_phrases',
    'id2rgb', 'palette_picture', 'read_mask', 'read_names', 'read_sample_text', 'read_text_mode', 'rgb2id',
    'sample_names', 'to_rle', 'track_instances'
]

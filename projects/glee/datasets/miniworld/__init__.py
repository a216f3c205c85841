"""MiniWorld: a synthetic world in the on-disk formats of the real data sets."""
from .build import SOURCES, MiniWorldError, build_miniworld
from .preview import contact_sheet
from .vocabulary import MINIWORLD_COCO_CLASSES, MINIWORLD_LVIS_CLASSES, MINIWORLD_OBJECTS365_CLASSES

__all__ = [
    'MINIWORLD_COCO_CLASSES', 'MINIWORLD_LVIS_CLASSES', 'MINIWORLD_OBJECTS365_CLASSES',
    'SOURCES', 'MiniWorldError', 'build_miniworld', 'contact_sheet'
]

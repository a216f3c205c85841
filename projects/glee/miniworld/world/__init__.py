"""What is where in MiniWorld, how it looks, moves and is spoken of."""
from .video import Track
from .vocabulary import MINIWORLD_COCO_CLASSES, MINIWORLD_LVIS_CLASSES, MINIWORLD_OBJECTS365_CLASSES

__all__ = [
    'MINIWORLD_COCO_CLASSES', 'MINIWORLD_LVIS_CLASSES', 'MINIWORLD_OBJECTS365_CLASSES', 'Track'
]

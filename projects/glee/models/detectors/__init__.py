"""Detectors of images and videos."""
from .glee import GLEE
from .glee_video import GLEEVideo

__all__ = [
    'GLEE', 'GLEEVideo'
]

"""Mistakes of a data set of one's own, found before anything is trained."""
from .coco_check import DataReport, check_coco
from .picture_check import shared_pictures, unnamed_pictures

__all__ = ['DataReport', 'check_coco', 'shared_pictures', 'unnamed_pictures']

"""Matching of queries with objects."""
from .binary_mask_cost import BinaryMaskCost
from .matcher import HungarianMatcher

__all__ = [
    'BinaryMaskCost', 'HungarianMatcher'
]

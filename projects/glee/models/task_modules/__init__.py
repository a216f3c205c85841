"""Matching of queries with objects."""
from .matcher import HungarianMatcher

__all__ = [
    'HungarianMatcher'
]

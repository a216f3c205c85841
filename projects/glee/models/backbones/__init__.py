"""Backbones that mmdet lacks."""
from .eva02 import EVA02

__all__ = [
    'EVA02'
]

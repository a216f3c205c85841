"""Backbones that mmdet lacks."""
from .efficientnet_lite0 import EfficientNetLite0
from .eva02 import EVA02

__all__ = [
    'EVA02', 'EfficientNetLite0'
]

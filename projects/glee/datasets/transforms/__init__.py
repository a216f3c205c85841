"""Transforms of GLEE."""
from .expressions import (
    CleanExpressions,
    PickExpression,
    SwapSidesOnFlip,
    UnlessOrdinal,
    clean_expression,
)
from .geometry import BoxesFromMasks, CropWindow, PillowResize, RasterizeMasks
from .large_scale_jitter import LargeScaleJitter, PadSquare
from .lazy_masks import LazyMasks
from .loading import FilterObjects, LoadImage, LoadInstances
from .negative_names import AddNegativeNames
from .prompts import SimulatePrompts, WarpPrompts
from .sa1b_masks import LoadSA1BMasks
from .source import PackGLEEInputs, SetSource

__all__ = [
    'AddNegativeNames', 'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'FilterObjects', 'LargeScaleJitter',
    'LazyMasks', 'LoadImage', 'LoadInstances', 'LoadSA1BMasks', 'PackGLEEInputs', 'PadSquare', 'PickExpression',
    'PillowResize', 'RasterizeMasks', 'SetSource', 'SimulatePrompts', 'SwapSidesOnFlip', 'UnlessOrdinal',
    'WarpPrompts', 'clean_expression'
]

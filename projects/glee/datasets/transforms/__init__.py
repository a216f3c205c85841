"""Transforms of GLEE."""
from .expressions import (
    CleanExpressions,
    PickExpression,
    SwapSidesOnFlip,
    UnlessOrdinal,
    clean_expression,
)
from .geometry import BoxesFromMasks, CropWindow, PillowResize, RasterizeMasks
from .loading import FilterObjects, LoadImage, LoadInstances
from .prompts import SimulatePrompts, WarpPrompts
from .source import PackGLEEInputs, SetSource

__all__ = [
    'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'FilterObjects', 'LoadImage',
    'LoadInstances', 'PackGLEEInputs', 'PickExpression', 'PillowResize', 'RasterizeMasks',
    'SetSource', 'SimulatePrompts', 'SwapSidesOnFlip', 'UnlessOrdinal', 'WarpPrompts', 'clean_expression'
]

"""Transforms of GLEE."""
from .clips import (
    ForEachFrame,
    ObjectInFirstFrame,
    PackClip,
    PickVideoExpression,
    PseudoClip,
    SampleClip,
)
from .expressions import (
    CleanExpressions,
    PickExpression,
    SwapSidesOnFlip,
    UnlessOrdinal,
    clean_expression,
)
from .frames import FilterFrameObjects, FirstMaskPrompts, LoadFrame, LoadFrameInstances, PackFrame
from .geometry import BoxesFromMasks, CropWindow, PillowResize, RasterizeMasks
from .loading import FilterObjects, LoadImage, LoadInstances
from .prompts import SimulatePrompts, WarpPrompts
from .source import PackGLEEInputs, SetSource

__all__ = [
    'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'FilterFrameObjects', 'FilterObjects', 'FirstMaskPrompts',
    'ForEachFrame', 'LoadFrame', 'LoadFrameInstances', 'LoadImage', 'LoadInstances', 'ObjectInFirstFrame', 'PackClip',
    'PackFrame', 'PackGLEEInputs', 'PickExpression', 'PickVideoExpression', 'PillowResize', 'PseudoClip',
    'RasterizeMasks', 'SampleClip', 'SetSource', 'SimulatePrompts', 'SwapSidesOnFlip', 'UnlessOrdinal', 'WarpPrompts',
    'clean_expression'
]

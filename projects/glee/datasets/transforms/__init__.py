"""Transforms of GLEE."""
from .clips import ForEachFrame, ObjectInFirstFrame, PackClip, PickVideoExpression, PseudoClip, SampleClip
from .expressions import CleanExpressions, PickExpression, SwapSidesOnFlip, UnlessOrdinal, clean_expression
from .frames import FilterFrameObjects, FirstMaskPrompts, LoadFrame, LoadFrameInstances, PackFrame
from .geometry import BoxesFromMasks, CropWindow, PillowResize, RasterizeMasks
from .large_scale_jitter import FitSquare, JitterScale, LargeScaleJitter, PadSquare
from .lazy_masks import LazyMasks
from .loading import FilterObjects, LoadImage, LoadInstances
from .negative_names import AddNegativeNames
from .panoptic import LoadPanopticMap
from .prompts import SimulatePrompts, WarpPrompts
from .sa1b_masks import LoadSA1BMasks
from .source import PackGLEEInputs, SetSource
from .stuff import StuffAsObjects
from .trajectories import LoadTrajectories, PackTrajectories

__all__ = [
    'AddNegativeNames', 'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'FilterFrameObjects', 'FilterObjects',
    'FirstMaskPrompts', 'FitSquare', 'ForEachFrame', 'JitterScale', 'LargeScaleJitter', 'LazyMasks', 'LoadFrame',
    'LoadFrameInstances', 'LoadImage', 'LoadInstances', 'LoadPanopticMap', 'LoadSA1BMasks', 'LoadTrajectories',
    'ObjectInFirstFrame', 'PackClip', 'PackFrame', 'PackGLEEInputs', 'PackTrajectories', 'PadSquare',
    'PickExpression', 'PickVideoExpression', 'PillowResize', 'PseudoClip', 'RasterizeMasks', 'SampleClip',
    'SetSource', 'SimulatePrompts', 'StuffAsObjects', 'SwapSidesOnFlip', 'UnlessOrdinal', 'WarpPrompts',
    'clean_expression'
]

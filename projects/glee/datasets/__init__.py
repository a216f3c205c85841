"""Registered datasets of GLEE."""
from .instance_maps import LoadInstanceMap, SBDInstanceDataset, VOCInstanceDataset
from .mixture import Draw, MixtureDataset
from .referring import RefCocoJsonDataset, ReferDataset
from .samplers import MixtureBatchSampler, MixtureSampler, WindowSampler
from .text_datasets import (
    TextCocoDataset,
    TextFromCategories,
    TextLVISDataset,
    TextObjects365Dataset,
)
from .transforms import (
    BoxesFromMasks,
    CleanExpressions,
    CropWindow,
    FilterFrameObjects,
    FilterObjects,
    FirstMaskPrompts,
    ForEachFrame,
    LoadFrame,
    LoadFrameInstances,
    LoadImage,
    LoadInstances,
    ObjectInFirstFrame,
    PackClip,
    PackFrame,
    PackGLEEInputs,
    PickExpression,
    PickVideoExpression,
    PillowResize,
    PseudoClip,
    RasterizeMasks,
    SampleClip,
    SetSource,
    SimulatePrompts,
    SwapSidesOnFlip,
    UnlessOrdinal,
    WarpPrompts,
)
from .video import (
    BURSTDataset,
    ExpressionVideosDataset,
    FrameWindow,
    MetaExpressionsDataset,
    PNGTreeDataset,
    VideoDataset,
    YTVISJsonDataset,
)

__all__ = [
    'BURSTDataset', 'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'Draw', 'ExpressionVideosDataset',
    'FilterFrameObjects', 'FilterObjects', 'FirstMaskPrompts', 'ForEachFrame', 'FrameWindow', 'LoadFrame',
    'LoadFrameInstances', 'LoadImage', 'LoadInstanceMap', 'LoadInstances', 'MetaExpressionsDataset',
    'MixtureBatchSampler', 'MixtureDataset', 'MixtureSampler', 'ObjectInFirstFrame', 'PNGTreeDataset', 'PackClip',
    'PackFrame', 'PackGLEEInputs', 'PickExpression', 'PickVideoExpression', 'PillowResize', 'PseudoClip',
    'RasterizeMasks', 'RefCocoJsonDataset', 'ReferDataset', 'SBDInstanceDataset', 'SampleClip', 'SetSource',
    'SimulatePrompts', 'SwapSidesOnFlip', 'TextCocoDataset', 'TextFromCategories', 'TextLVISDataset',
    'TextObjects365Dataset', 'UnlessOrdinal', 'VOCInstanceDataset', 'VideoDataset', 'WarpPrompts', 'WindowSampler',
    'YTVISJsonDataset'
]

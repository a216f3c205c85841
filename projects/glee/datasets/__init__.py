"""Registered datasets of GLEE."""
from .instance_maps import LoadInstanceMap, SBDInstanceDataset, VOCInstanceDataset
from .mixture import Draw, MixtureDataset
from .phrase_datasets import PhraseDataset
from .referring import RefCocoJsonDataset, ReferDataset
from .sa1b import SA1BDataset
from .samplers import MixtureBatchSampler, MixtureSampler, WindowSampler
from .text_datasets import TextCocoDataset, TextFromCategories, TextLVISDataset, TextObjects365Dataset
from .transforms import (
    AddNegativeNames,
    BoxesFromMasks,
    CleanExpressions,
    CropWindow,
    FilterFrameObjects,
    FilterObjects,
    FirstMaskPrompts,
    FitSquare,
    ForEachFrame,
    JitterScale,
    LargeScaleJitter,
    LoadFrame,
    LoadFrameInstances,
    LoadImage,
    LoadInstances,
    LoadSA1BMasks,
    LoadTrajectories,
    ObjectInFirstFrame,
    PackClip,
    PackFrame,
    PackGLEEInputs,
    PackTrajectories,
    PadSquare,
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
from .video_frames import VideoFramesDataset
from .vocabularies import load_vocabulary, vocabulary_names

__all__ = [
    'AddNegativeNames', 'BURSTDataset', 'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'Draw',
    'ExpressionVideosDataset', 'FilterFrameObjects', 'FilterObjects', 'FirstMaskPrompts', 'FitSquare', 'ForEachFrame',
    'FrameWindow', 'JitterScale', 'LargeScaleJitter', 'LoadFrame', 'LoadFrameInstances', 'LoadImage',
    'LoadInstanceMap', 'LoadInstances', 'LoadSA1BMasks', 'LoadTrajectories', 'MetaExpressionsDataset',
    'MixtureBatchSampler', 'MixtureDataset', 'MixtureSampler', 'ObjectInFirstFrame', 'PNGTreeDataset', 'PackClip',
    'PackFrame', 'PackGLEEInputs', 'PackTrajectories', 'PadSquare', 'PhraseDataset', 'PickExpression',
    'PickVideoExpression', 'PillowResize', 'PseudoClip', 'RasterizeMasks', 'RefCocoJsonDataset', 'ReferDataset',
    'SA1BDataset', 'SBDInstanceDataset', 'SampleClip', 'SetSource', 'SimulatePrompts', 'SwapSidesOnFlip',
    'TextCocoDataset', 'TextFromCategories', 'TextLVISDataset', 'TextObjects365Dataset', 'UnlessOrdinal',
    'VOCInstanceDataset', 'VideoDataset', 'VideoFramesDataset', 'WarpPrompts', 'WindowSampler', 'YTVISJsonDataset',
    'load_vocabulary', 'vocabulary_names'
]

"""Registered datasets of GLEE."""
from .instance_maps import LoadInstanceMap, SBDInstanceDataset, VOCInstanceDataset
from .mixture import Draw, MixtureDataset
from .phrase_datasets import PhraseDataset
from .referring import RefCocoJsonDataset, ReferDataset
from .sa1b import SA1BDataset
from .samplers import MixtureBatchSampler, MixtureSampler
from .text_datasets import (
    TextCocoDataset,
    TextFromCategories,
    TextLVISDataset,
    TextObjects365Dataset,
)
from .transforms import (
    AddNegativeNames,
    BoxesFromMasks,
    CleanExpressions,
    CropWindow,
    FilterObjects,
    LargeScaleJitter,
    LoadImage,
    LoadInstances,
    LoadSA1BMasks,
    PackGLEEInputs,
    PadSquare,
    PickExpression,
    PillowResize,
    RasterizeMasks,
    SetSource,
    SimulatePrompts,
    SwapSidesOnFlip,
    UnlessOrdinal,
    WarpPrompts,
)
from .video_frames import VideoFramesDataset
from .vocabularies import load_vocabulary, vocabulary_names

__all__ = [
    'AddNegativeNames', 'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'Draw', 'FilterObjects',
    'LargeScaleJitter', 'LoadImage', 'LoadInstanceMap', 'LoadInstances', 'LoadSA1BMasks', 'MixtureBatchSampler',
    'MixtureDataset', 'MixtureSampler', 'PackGLEEInputs', 'PadSquare', 'PhraseDataset', 'PickExpression',
    'PillowResize', 'RasterizeMasks', 'RefCocoJsonDataset', 'ReferDataset', 'SA1BDataset', 'SBDInstanceDataset',
    'SetSource', 'SimulatePrompts', 'SwapSidesOnFlip', 'TextCocoDataset', 'TextFromCategories',
    'TextLVISDataset', 'TextObjects365Dataset', 'UnlessOrdinal', 'VOCInstanceDataset', 'VideoFramesDataset',
    'WarpPrompts', 'load_vocabulary', 'vocabulary_names'
]

"""Registered datasets of GLEE."""
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
    SwapSidesOnFlip,
    UnlessOrdinal,
)
from .video_frames import VideoFramesDataset
from .vocabularies import load_vocabulary, vocabulary_names

__all__ = [
    'AddNegativeNames', 'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'Draw',
    'FilterObjects', 'LargeScaleJitter', 'LoadImage', 'LoadInstances', 'LoadSA1BMasks',
    'MixtureBatchSampler', 'MixtureDataset', 'MixtureSampler', 'PackGLEEInputs', 'PadSquare',
    'PhraseDataset', 'PickExpression', 'PillowResize', 'RasterizeMasks', 'RefCocoJsonDataset',
    'ReferDataset', 'SA1BDataset', 'SetSource', 'SwapSidesOnFlip', 'TextCocoDataset',
    'TextFromCategories', 'TextLVISDataset', 'TextObjects365Dataset', 'UnlessOrdinal',
    'VideoFramesDataset', 'load_vocabulary', 'vocabulary_names'
]

"""Registered datasets of GLEE."""
from .mixture import Draw, MixtureDataset
from .referring import RefCocoJsonDataset, ReferDataset
from .samplers import MixtureBatchSampler, MixtureSampler
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
    FilterObjects,
    LargeScaleJitter,
    LoadImage,
    LoadInstances,
    PackGLEEInputs,
    PadSquare,
    PickExpression,
    PillowResize,
    RasterizeMasks,
    SetSource,
    SwapSidesOnFlip,
    UnlessOrdinal,
)

__all__ = [
    'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'Draw', 'FilterObjects', 'LargeScaleJitter',
    'LoadImage', 'LoadInstances', 'MixtureBatchSampler', 'MixtureDataset', 'MixtureSampler',
    'PackGLEEInputs', 'PadSquare', 'PickExpression', 'PillowResize', 'RasterizeMasks',
    'RefCocoJsonDataset', 'ReferDataset', 'SetSource', 'SwapSidesOnFlip', 'TextCocoDataset',
    'TextFromCategories', 'TextLVISDataset', 'TextObjects365Dataset', 'UnlessOrdinal'
]

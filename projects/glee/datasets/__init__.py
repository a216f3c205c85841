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
    LoadImage,
    LoadInstances,
    PackGLEEInputs,
    PickExpression,
    PillowResize,
    RasterizeMasks,
    SetSource,
    SimulatePrompts,
    SwapSidesOnFlip,
    UnlessOrdinal,
    WarpPrompts,
)

__all__ = [
    'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'Draw', 'FilterObjects', 'LoadImage',
    'LoadInstances', 'MixtureBatchSampler', 'MixtureDataset', 'MixtureSampler', 'PackGLEEInputs',
    'PickExpression', 'PillowResize', 'RasterizeMasks', 'RefCocoJsonDataset', 'ReferDataset',
    'SetSource', 'SimulatePrompts', 'SwapSidesOnFlip', 'TextCocoDataset', 'TextFromCategories',
    'TextLVISDataset', 'TextObjects365Dataset', 'UnlessOrdinal', 'WarpPrompts'
]

"""Registered datasets of GLEE."""
from .instance_maps import LoadInstanceMap, SBDInstanceDataset, VOCInstanceDataset
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
    SimulatePrompts,
    SwapSidesOnFlip,
    UnlessOrdinal,
    WarpPrompts,
)

__all__ = [
    'BoxesFromMasks', 'CleanExpressions', 'CropWindow', 'Draw', 'FilterObjects', 'LargeScaleJitter',
    'LoadImage', 'LoadInstanceMap', 'LoadInstances', 'MixtureBatchSampler', 'MixtureDataset', 'MixtureSampler',
    'PackGLEEInputs', 'PadSquare', 'PickExpression', 'PillowResize', 'RasterizeMasks', 'RefCocoJsonDataset',
    'ReferDataset', 'SBDInstanceDataset', 'SetSource', 'SimulatePrompts', 'SwapSidesOnFlip', 'TextCocoDataset',
    'TextFromCategories', 'TextLVISDataset', 'TextObjects365Dataset', 'UnlessOrdinal', 'VOCInstanceDataset',
    'WarpPrompts'
]

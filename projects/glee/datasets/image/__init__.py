"""Readers of image data sets."""
from .few_shot import FewShotCocoDataset, choose_shots
from .instance_maps import LoadInstanceMap, SBDInstanceDataset, VOCInstanceDataset
from .omnilabel import OmniLabelDataset
from .phrase_datasets import PhraseDataset
from .referring import RefCocoJsonDataset, ReferDataset
from .sa1b import SA1BDataset
from .text_datasets import TextCocoDataset, TextFromCategories, TextLVISDataset, TextObjects365Dataset

__all__ = [
    'FewShotCocoDataset', 'LoadInstanceMap', 'OmniLabelDataset', 'PhraseDataset', 'RefCocoJsonDataset', 'ReferDataset',
    'SA1BDataset', 'SBDInstanceDataset', 'TextCocoDataset', 'TextFromCategories', 'TextLVISDataset',
    'TextObjects365Dataset', 'VOCInstanceDataset', 'choose_shots'
]

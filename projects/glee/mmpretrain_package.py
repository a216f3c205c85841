"""An empty package in place of ``mmpretrain.models``, made before mmdet looks for it.

``import mmpretrain.models`` also imports multi-modal models that need an old transformers: with a new one and
torchvision it ends in a TypeError, where mmdet forgives an ImportError only. Submodules (the backbones) are found
below the empty package as ever.
"""
import sys
from pathlib import Path
from types import ModuleType

import mmpretrain

if 'mmpretrain.models' not in sys.modules:
    _package = ModuleType('mmpretrain.models')
    _package.__path__ = [str(Path(mmpretrain.__file__).parent / 'models')]
    sys.modules['mmpretrain.models'] = mmpretrain.models = _package

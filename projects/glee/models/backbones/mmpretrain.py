"""Makes mmpretrain's backbones (``type='mmpretrain.ConvNeXt'``) available; name it in ``custom_imports``.

``mmpretrain.models`` cannot be imported as a whole everywhere: its heads ask for torchvision, which has no build for
every torch, and beside torchvision its multi-modal models end in a TypeError under transformers 5. Its backbones come
first and need neither.
"""
import importlib
import sys

from mmpretrain.registry import MODELS

try:
    importlib.import_module('mmpretrain.models')
except (ImportError, TypeError):
    if 'mmpretrain.models.backbones' not in sys.modules:
        raise
    MODELS._imported = True  # or every look-up in this registry would import the whole first

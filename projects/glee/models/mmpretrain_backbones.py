"""Makes mmpretrain's backbones (``type='mmpretrain.ConvNeXt'``) available; name it in ``custom_imports``.

``import mmpretrain.models`` also imports multi-modal models that need an old transformers, and box
functions of torchvision, which has no build for every torch. No backbone uses either. So only the
backbones are imported, the package being represented by an empty module, and placeholders stand in
for a missing torchvision while that happens.
"""
import importlib
import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Iterator

import mmpretrain


class _Missing(ModuleType):
    """A module whose attributes may be imported but not used."""

    def __getattr__(self, name: str):
        if name.startswith('__'):
            raise AttributeError(name)
        raise ImportError(f'{self.__name__}.{name} is needed: install torchvision for your torch')


@contextmanager
def _placeholders(*names: str) -> Iterator[None]:
    modules = {name: _Missing(name) for name in names}
    for name, module in modules.items():
        parent, _, child = name.rpartition('.')
        module.__path__ = []
        if parent:
            setattr(modules[parent], child, module)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


if 'mmpretrain.models' not in sys.modules:
    _package = ModuleType('mmpretrain.models')
    _package.__path__ = [str(Path(mmpretrain.__file__).parent / 'models')]
    sys.modules['mmpretrain.models'] = mmpretrain.models = _package
    if importlib.util.find_spec('torchvision') is None:
        with _placeholders('torchvision', 'torchvision.ops', 'torchvision.ops.boxes'):
            importlib.import_module('mmpretrain.models.backbones')
    else:
        importlib.import_module('mmpretrain.models.backbones')

"""Makes mmpretrain's backbones (``type='mmpretrain.ConvNeXt'``) available; name it in ``custom_imports``.

Some of them import box functions of torchvision, which has no build for every torch and which none of them uses:
placeholders stand in for a missing torchvision while they are imported.
"""
import importlib
import importlib.util
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import Iterator


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


if importlib.util.find_spec('torchvision') is None:
    with _placeholders('torchvision', 'torchvision.ops', 'torchvision.ops.boxes'):
        importlib.import_module('mmpretrain.models.backbones')
else:
    importlib.import_module('mmpretrain.models.backbones')

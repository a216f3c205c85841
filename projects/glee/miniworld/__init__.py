"""MiniWorld: a synthetic world in the on-disk formats of the real data sets."""
from .build import SOURCES, MiniWorldError, build_miniworld
from .preview import contact_sheet

__all__ = [
    'MiniWorldError', 'SOURCES', 'build_miniworld', 'contact_sheet'
]

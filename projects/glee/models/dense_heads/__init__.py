"""The head that holds text, pixel decoder, object decoder and losses."""
from .glee_head import GLEEHead

__all__ = [
    'GLEEHead'
]

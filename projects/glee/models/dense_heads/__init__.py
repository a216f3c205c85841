"""The head that holds text, pixel decoder, object decoder and losses."""
from .glee_head import GLEEHead
from .head_outputs import HeadOutputs

__all__ = [
    'GLEEHead', 'HeadOutputs'
]

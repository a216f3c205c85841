"""Reading, writing and renaming checkpoints."""
from .safe_checkpoint import read_checkpoint

__all__ = [
    'read_checkpoint'
]

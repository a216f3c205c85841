"""Reading, writing and renaming checkpoints."""
from .safe_checkpoint import read_checkpoint, safe_loading

__all__ = [
    'read_checkpoint', 'safe_loading'
]

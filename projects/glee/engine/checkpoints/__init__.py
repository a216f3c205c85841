"""Reading, writing and renaming checkpoints."""
from .durable_files import write_checkpoint
from .load_weights import load_weights
from .safe_checkpoint import read_checkpoint, safe_loading

__all__ = [
    'load_weights', 'read_checkpoint', 'safe_loading', 'write_checkpoint'
]

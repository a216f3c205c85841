"""From configs to runs."""
from .sharding import shard_layers
from .short_log_processor import ShortLogProcessor
from .strict_runner import StrictRunner

__all__ = [
    'ShortLogProcessor', 'StrictRunner', 'shard_layers'
]

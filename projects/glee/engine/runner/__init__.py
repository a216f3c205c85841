"""From configs to runs."""
from .short_log_processor import ShortLogProcessor
from .strict_runner import StrictRunner

__all__ = [
    'ShortLogProcessor', 'StrictRunner'
]

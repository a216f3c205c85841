"""Test loops."""
from .interactive_test_loop import InteractiveTestLoop, SessionPredictor

__all__ = [
    'InteractiveTestLoop', 'SessionPredictor'
]

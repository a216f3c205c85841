"""Registered visualizers of GLEE."""
from .text_visualizer import TextLocalVisualizer

__all__ = [
    'TextLocalVisualizer'
]

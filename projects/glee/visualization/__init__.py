"""Registered visualizers of GLEE, and the renderer that all pictures come from."""
from .contact_sheet import contact_sheet
from .renderer import DrawnObject, Renderer, colour_of
from .text_visualizer import TextLocalVisualizer
from .video_writer import VideoWriter

__all__ = ['DrawnObject', 'Renderer', 'TextLocalVisualizer', 'VideoWriter', 'colour_of', 'contact_sheet']

"""GLEE as the object foundation of a language model (GLEE section 4.4; LISA, GLUS).

Nothing of this is imported by ``projects.glee``: a config names it in ``custom_imports``. It needs
``pip install -r requirements/llm.txt``.
"""
from . import adapter_hook, adapters, data, metrics, video
from .data import ask_key_frame, ask_video
from .reasoning_segmentor import ReasoningSegmentor

__all__ = ['ReasoningSegmentor', 'adapter_hook', 'adapters', 'ask_key_frame', 'ask_video', 'data', 'metrics', 'video']

"""Image-text models of transformers behind one thin interface."""
from .base import OBJECT, SCORE, SEG, ImageTextModel, SeenPicture
from .llava import LlavaAdapter
from .qwen_vl import QwenVLAdapter

__all__ = ['ImageTextModel', 'LlavaAdapter', 'OBJECT', 'QwenVLAdapter', 'SCORE', 'SEG', 'SeenPicture']

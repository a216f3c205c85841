"""placeholder"""
from mmdet.registry import MODELS

from .base_tracker import GLEETracker


@MODELS.register_module()
class PromptTracker(GLEETracker):
    """placeholder"""

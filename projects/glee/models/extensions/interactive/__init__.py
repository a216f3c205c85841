"""Rounds of clicks: memory, refinement of mask features, roll-out, carving."""
from .click_carving import carve
from .interactive_rollout import InteractiveRollout
from .mask_feature_refiner import MaskFeatureRefiner
from .memory_prompt_encoder import MemoryPromptEncoder

__all__ = ['InteractiveRollout', 'MaskFeatureRefiner', 'MemoryPromptEncoder', 'carve']

"""Registered models of GLEE."""
from .criterion import GLEECriterion
from .denoising import DenoisingGenerator, DenoisingQueries
from .dynamic_loss_selector import DynamicLossSelector, LossSwitch
from .matching import HungarianMatcher

__all__ = [
    'DenoisingGenerator', 'DenoisingQueries', 'DynamicLossSelector', 'GLEECriterion',
    'HungarianMatcher', 'LossSwitch',
]

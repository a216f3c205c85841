"""Losses and what decides which of them a batch trains."""
from .criterion import GLEECriterion
from .dynamic_loss_selector import DynamicLossSelector, LossSwitch
from .tracking_loss import ContrastiveTrackingLoss

__all__ = [
    'ContrastiveTrackingLoss', 'DynamicLossSelector', 'GLEECriterion', 'LossSwitch'
]

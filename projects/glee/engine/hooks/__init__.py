"""Hooks of GLEE."""
from .exact_resume_hook import ExactResumeHook
from .nan_loss_hook import NaNLossHook

__all__ = [
    'ExactResumeHook', 'NaNLossHook'
]

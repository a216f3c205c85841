"""Registered engine of GLEE."""
from .exact_resume_hook import ExactResumeHook
from .nan_loss_hook import NaNLossHook
from .safe_checkpoint import read_checkpoint
from .strict_runner import StrictRunner

__all__ = ['ExactResumeHook', 'NaNLossHook', 'StrictRunner', 'read_checkpoint']

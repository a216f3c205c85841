"""Registered engine of GLEE."""
from .nan_loss_hook import NaNLossHook
from .safe_checkpoint import read_checkpoint
from .strict_runner import StrictRunner

__all__ = ['NaNLossHook', 'StrictRunner', 'read_checkpoint']

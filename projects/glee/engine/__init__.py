"""Registered engine of GLEE."""
from .exact_resume_hook import ExactResumeHook
from .init_model import init_model
from .layer_decay import LayerDecayOptimWrapperConstructor
from .muon import MuonAdamW
from .nan_loss_hook import NaNLossHook
from .safe_checkpoint import read_checkpoint
from .strict_runner import StrictRunner

__all__ = [
    'ExactResumeHook', 'LayerDecayOptimWrapperConstructor', 'MuonAdamW', 'NaNLossHook', 'StrictRunner',
    'init_model', 'read_checkpoint'
]

"""Hooks of GLEE."""
from .durable_checkpoint_hook import DurableCheckpointHook
from .exact_resume_hook import ExactResumeHook
from .nan_loss_hook import NaNLossHook
from .picture_hook import PictureHook
from .progress_hook import ProgressHook
from .source_loss_hook import SourceLossHook
from .stop_signal_hook import StopSignalHook

__all__ = [
    'DurableCheckpointHook', 'ExactResumeHook', 'NaNLossHook', 'PictureHook', 'ProgressHook', 'SourceLossHook',
    'StopSignalHook'
]

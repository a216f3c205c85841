"""Samplers of GLEE."""
from .mixture_batch_sampler import MixtureBatchSampler
from .mixture_sampler import MixtureSampler
from .window_sampler import WindowSampler

__all__ = [
    'MixtureBatchSampler', 'MixtureSampler', 'WindowSampler'
]

"""Samplers of GLEE."""
from .mixture_batch_sampler import MixtureBatchSampler
from .mixture_sampler import MixtureSampler

__all__ = ['MixtureBatchSampler', 'MixtureSampler']

"""Optimizers and parameter groups."""
from .layer_decay import LayerDecayOptimWrapperConstructor
from .muon import MuonAdamW

__all__ = [
    'LayerDecayOptimWrapperConstructor', 'MuonAdamW'
]

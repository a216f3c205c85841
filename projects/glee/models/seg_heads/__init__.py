"""From queries to instances, panoptic and semantic maps."""
from .glee_fusion_head import GLEEFusionHead

__all__ = [
    'GLEEFusionHead'
]

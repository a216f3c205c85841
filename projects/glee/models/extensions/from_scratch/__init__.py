"""What a training from scratch needs and released weights do not."""
from .common_direction import RemoveCommonDirection
from .dense_supervision import DenseSupervision

__all__ = [
    'DenseSupervision', 'RemoveCommonDirection'
]

"""What a training from scratch needs and released weights do not."""
from .dense_supervision import DenseSupervision

__all__ = [
    'DenseSupervision'
]

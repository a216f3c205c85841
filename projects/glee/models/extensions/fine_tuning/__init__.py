"""Fine-tunes that keep what they start from."""
from .fine_tuned_glee import FineTunedGLEE
from .low_rank import LowRank, make_low_rank

__all__ = [
    'FineTunedGLEE', 'LowRank', 'make_low_rank'
]

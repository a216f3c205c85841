"""Fine-tunes that keep what they start from."""
from .fine_tuned_glee import FineTunedGLEE, read_learned
from .low_rank import LowRank, make_low_rank
from .question_shares import normal_name

__all__ = [
    'FineTunedGLEE', 'LowRank', 'make_low_rank', 'normal_name', 'read_learned'
]

"""Prompts as the decoder reads them."""
from typing import NamedTuple

from torch import Tensor


class PromptTokens(NamedTuple):
    """Tokens that queries read in self-attention.

    ``levels``: token sets [(B, T, D)]; layer k reads set ``k % len(levels)``.
    ``valid``: [(B, T)] bool, True where a token is real, one per set.
    """
    levels: list[Tensor]
    valid: list[Tensor]

"""What a text encoder makes of texts."""
from typing import NamedTuple, Optional

from torch import Tensor


class TextFeatures(NamedTuple):
    """Features of N texts; L is their longest token count, or 77 if padded to the maximum.

    Attributes:
        tokens: (N, L, D) projected tokens.
        mask: (N, L) bool, True at valid tokens (start and end tokens included).
        pooled: (N, D) mean of the valid projected tokens: the embedding of a text.
        hidden: (N, L, width) states after the last LayerNorm, before the projection.
        distill_loss: () weighted distillation loss; an exact zero where there is none.
        valid_tokens: (T, D) the valid tokens of all texts, one after the other.
        token_groups: (T,) Long, at test, and on a CPU in training too: valid tokens with the same number are equal,
            since their texts begin with the same words. Else, and if padded to the maximum, None.
    """

    tokens: Tensor
    mask: Tensor
    pooled: Tensor
    hidden: Tensor
    distill_loss: Tensor
    valid_tokens: Tensor
    token_groups: Optional[Tensor] = None

"""Prompts as the decoder reads them."""
from typing import NamedTuple, Sequence

import torch
from torch import Tensor, nn

from ..utils.unwaited import as_index, sent


class PromptTokens(NamedTuple):
    """Tokens that queries read in self-attention.

    ``levels``: token sets [(B, T, D)]; layer k reads set ``k % len(levels)``.
    ``valid``: [(B, T)] bool, True where a token is real, one per set.
    """
    levels: list[Tensor]
    valid: list[Tensor]

    def pick(self, rows: Tensor | Sequence[int]) -> 'PromptTokens':
        """Those of some members of the batch, (R,) Long with repetitions."""
        rows = as_index(rows, self.levels[0].device)
        return PromptTokens(*([part[rows] for part in parts] for parts in self))

    def of(self, index: int) -> list[Tensor]:
        """The real tokens [(L, D)] of one member of the batch, one per set."""
        return [level[index][valid[index]] for level, valid in zip(self.levels, self.valid)]


class ObjectTokens(NamedTuple):
    """What a visual prompt says in another frame or picture than its own.

    ``template``: (T, D) for early fusion. ``points``: [(L, D)] for the decoder, one set per level but the coarsest.
    """
    template: Tensor
    points: list[Tensor]


def join_tokens(*tokens: PromptTokens | None) -> PromptTokens | None:
    """Token sets of several prompts, one after the other; the numbers of sets must divide the largest."""
    tokens = [part for part in tokens if part is not None]
    if len(tokens) <= 1:
        return tokens[0] if tokens else None
    count = max(len(part.levels) for part in tokens)
    return PromptTokens(
        *([torch.cat([getattr(part, name)[k % len(part.levels)] for part in tokens], 1) for k in range(count)]
          for name in PromptTokens._fields))


def stack_points(objects: Sequence[Sequence[Tensor]]) -> PromptTokens:
    """Tokens [(L, D)] of each of R objects as one batch, padded to the longest."""
    levels, valid = [], []
    for tokens in zip(*objects):
        lengths = sent([len(part) for part in tokens], tokens[0].device)
        levels.append(nn.utils.rnn.pad_sequence(list(tokens), batch_first=True))
        valid.append(torch.arange(levels[-1].shape[1], device=lengths.device) < lengths[:, None])
    return PromptTokens(levels, valid)

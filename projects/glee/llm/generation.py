"""Greedy answers, token after token, with the state that predicted each."""
import copy
from typing import Iterator, NamedTuple, Optional

import torch
from torch import Tensor

from .adapters import ImageTextModel
from .reader import Read


class Said(NamedTuple):
    """A token of an answer: its id, and the state (D,) that predicted it."""
    token: int
    state: Tensor


class Prefix(NamedTuple):
    """A dialogue's beginning that is read once: its keys and values, and its length."""
    cache: object
    length: int


@torch.no_grad()
def read_prefix(model: ImageTextModel, start: Read) -> Prefix:
    """Keep the keys and values of a beginning that many dialogues share."""
    from transformers import DynamicCache
    cache = DynamicCache()
    model.run(start.embeds[None], None, start.positions[..., None, :], cache)
    return Prefix(cache, len(start.embeds))


@torch.no_grad()
def answer(model: ImageTextModel, dialogue: Read, limit: int, prefix: Optional[Prefix] = None) -> Iterator[Said]:
    """The answer to a dialogue, up to and with its end token, ``limit`` tokens at most.

    Args:
        model (ImageTextModel): in eval mode.
        dialogue (Read): all of it; with ``prefix``, which it begins with, only the rest is computed.
    """
    from transformers import DynamicCache
    cache = DynamicCache() if prefix is None else copy.deepcopy(prefix.cache)
    done = 0 if prefix is None else prefix.length
    embeds, positions = dialogue.embeds[None, done:], dialogue.positions[..., None, done:]
    for number in range(limit):
        state = model.run(embeds, None, positions, cache)[0, -1]
        token = int(model.logits(state).argmax())
        yield Said(token, state)
        if token == model.end_id:
            return
        if number + 1 < limit:
            embeds = model.embed(torch.tensor([[token]], device=state.device))
            positions = positions[..., -1:] + 1

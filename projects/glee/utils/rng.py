"""Random streams that are functions of counters, so that a resumed run repeats them."""
import random
from contextlib import contextmanager
from hashlib import sha256
from typing import Iterator

import numpy as np
import torch


def mix_seed(*entropy: int) -> tuple:
    """Three independent seeds out of non-negative counters (seed, rank, step ...).

    Args:
        entropy: non-negative integers; different tuples give unrelated seeds, which plain sums
            such as ``seed + rank`` do not.

    Returns:
        tuple[int, int, int]: for ``random``, ``numpy`` (32 bits) and ``torch``.
    """
    words = np.random.SeedSequence(entropy).generate_state(4, np.uint32)
    return int(words[0]), int(words[1]), int(words[2]) << 32 | int(words[3])


def counter_of(identifier: int | float | str) -> int:
    """A non-negative integer for an id of a file: itself, where it is one, else always the same one."""
    if isinstance(identifier, (int, float)) and identifier >= 0 and identifier == int(identifier):
        return int(identifier)
    return int.from_bytes(sha256(str(identifier).encode()).digest()[:8], 'big')


def seed_everything(*entropy: int) -> None:
    """Seed python, numpy and torch (all devices) with :func:`mix_seed` of ``entropy``."""
    python_seed, numpy_seed, torch_seed = mix_seed(*entropy)
    random.seed(python_seed)
    np.random.seed(numpy_seed)
    torch.manual_seed(torch_seed)


@contextmanager
def isolated_rng(*entropy: int) -> Iterator[None]:
    """Run a block under its own random streams and put the callers' streams back afterwards.

    Only CPU generators are touched: data loading must not initialise or disturb a GPU.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    python_seed, numpy_seed, torch_seed = mix_seed(*entropy)
    random.seed(python_seed)
    np.random.seed(numpy_seed)
    torch.default_generator.manual_seed(torch_seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])

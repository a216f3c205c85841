"""Putting the weights of a checkpoint into a model, completely or not at all."""
import re
from collections.abc import Callable, Iterable

from mmengine.logging import print_log
from torch import Tensor, nn

# What DistributedDataParallel, torch.compile and a Lightning module put in front of every name.
_PREFIXES = ('module.', '_orig_mod.', 'model.')
_NAMED_KEYS = 8


def load_weights(model: nn.Module, weights: dict, source: str, ignore: Iterable[str] = (),
                 quiet: bool = False) -> None:
    """Load ``weights`` into ``model`` completely.

    Args:
        model (nn.Module): the model.
        weights (dict): {name: tensor}, or such a dict as 'model' inside. Prefixes of wrappers around the whole
            model are left out, and a released GLEE file is converted in memory.
        source (str): where they come from, for messages.
        ignore (Iterable[str]): regular expressions of names that are neither required nor loaded.
        quiet (bool): say nothing of prefixes and conversion; otherwise a line does.

    Raises:
        ValueError: a name is missing, unexpected, or of another shape.
    """
    def ignored(name: str) -> bool:
        return any(re.search(pattern, name) for pattern in ignore)

    if isinstance(weights.get('model'), dict):
        weights = weights['model']
    def say(message: str) -> None:
        if not quiet:
            print_log(f'{source}: {message}', 'current')

    weights = _without_prefixes(weights, model.state_dict().keys(), say)
    problems = _try(model, weights, ignored)
    if problems and (converted := _converted(weights, source, say)) is not None:
        problems = _try(model, converted, ignored)
    if problems:
        raise ValueError(
            f'checkpoint {source} does not fit the model of this config:\n' + '\n'.join(problems)
            + '\nUse the config it was trained with, or name what tools/train.py and tools/test.py shall '
            'leave out with the config key load_ignore (a list of regular expressions).')


def _try(model: nn.Module, weights: dict[str, Tensor], ignored: Callable[[str], bool]) -> list[str]:
    """What keeps ``weights`` from fitting; nothing if they are loaded."""
    try:
        result = model.load_state_dict(
            {name: value for name, value in weights.items() if not ignored(name)}, strict=False)
    except RuntimeError as error:
        return [f'  {error}']
    return [*_listed('missing', [name for name in result.missing_keys if not ignored(name)]),
            *_listed('unexpected', result.unexpected_keys)]


def _without_prefixes(weights: dict[str, Tensor], wanted: Iterable[str],
                      say: Callable[[str], None]) -> dict[str, Tensor]:
    """``weights`` without prefixes that all names share and none of ``wanted`` has."""
    removed = ''
    while prefix := next((prefix for prefix in _PREFIXES if weights and all(
            name.startswith(prefix) for name in weights) and not any(name.startswith(prefix) for name in wanted)), ''):
        weights = {name.removeprefix(prefix): value for name, value in weights.items()}
        removed += prefix
    if removed:
        say(f'all names begin with {removed!r}, which is left out')
    return weights


def _converted(weights: dict[str, Tensor], source: str, say: Callable[[str], None]) -> dict[str, Tensor] | None:
    """The weights of a released GLEE file under our names; None if it is none."""
    from .official_keys import convert_state_dict, guess_size, strip_wrapper  # their tables import models

    bare = strip_wrapper(weights)
    size = guess_size(bare)
    if size is None:
        return None
    try:
        converted, _ = convert_state_dict(bare, size)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f'checkpoint {source} looks like a released GLEE-{size.capitalize()}, but cannot be '
                         f'converted: {error}') from error
    say(f'a released GLEE-{size.capitalize()}, whose names are converted')
    return converted


def _listed(kind: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f' and {len(names) - _NAMED_KEYS} more' if len(names) > _NAMED_KEYS else ''
    return [f'  {len(names)} {kind}: {", ".join(names[:_NAMED_KEYS])}{more}']

"""Putting the weights of a checkpoint into a model, completely or not at all."""
import re
from collections.abc import Iterable

from mmengine.logging import print_log
from torch import Tensor, nn

# What DistributedDataParallel, torch.compile and a Lightning module put in front of every name.
_PREFIXES = ('module.', '_orig_mod.', 'model.')
_NAMED_KEYS = 8


def load_weights(model: nn.Module, weights: dict, source: str, ignore: Iterable[str] = ()) -> None:
    """Load ``weights`` into ``model`` completely.

    Args:
        model (nn.Module): the model.
        weights (dict): {name: tensor}, or such a dict as 'model' inside. Prefixes of wrappers around the whole
            model are left out, and a line says so.
        source (str): where they come from, for messages.
        ignore (Iterable[str]): regular expressions of names that are neither required nor loaded.

    Raises:
        ValueError: a name is missing, unexpected, or of another shape; or the file is one of the released GLEE's,
            which have to be converted.
    """
    def ignored(name: str) -> bool:
        return any(re.search(pattern, name) for pattern in ignore)

    if isinstance(weights.get('model'), dict):
        weights = weights['model']
    weights = _without_prefixes(weights, model.state_dict().keys(), source)
    problems = []
    try:
        result = model.load_state_dict(
            {name: value for name, value in weights.items() if not ignored(name)}, strict=False)
        problems += _listed('missing', [name for name in result.missing_keys if not ignored(name)])
        problems += _listed('unexpected', result.unexpected_keys)
    except RuntimeError as error:
        problems.append(f'  {error}')
    if not problems:
        return
    _refuse_released(weights, source)
    raise ValueError(
        f'checkpoint {source} does not fit the model of this config:\n' + '\n'.join(problems)
        + '\nUse the config it was trained with, or name what tools/train.py and tools/test.py shall '
        'leave out with the config key load_ignore (a list of regular expressions).')


def _without_prefixes(weights: dict[str, Tensor], wanted: Iterable[str], source: str) -> dict[str, Tensor]:
    """``weights`` without prefixes that all names share and none of ``wanted`` has."""
    removed = ''
    while prefix := next((prefix for prefix in _PREFIXES if weights and all(
            name.startswith(prefix) for name in weights) and not any(name.startswith(prefix) for name in wanted)), ''):
        weights = {name.removeprefix(prefix): value for name, value in weights.items()}
        removed += prefix
    if removed:
        print_log(f'{source}: all names begin with {removed!r}, which is left out', 'current')
    return weights


def _refuse_released(weights: dict[str, Tensor], source: str) -> None:
    from .official_keys import guess_size, strip_wrapper  # here, as its tables import models, which import this

    size = guess_size(strip_wrapper(weights))
    if size is not None:
        raise ValueError(
            f'checkpoint {source} is a released GLEE file with its original names. Convert it first: '
            f'python tools/model_converters/glee_official.py {source} glee_{size}.pth --size {size}')


def _listed(kind: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f' and {len(names) - _NAMED_KEYS} more' if len(names) > _NAMED_KEYS else ''
    return [f'  {len(names)} {kind}: {", ".join(names[:_NAMED_KEYS])}{more}']

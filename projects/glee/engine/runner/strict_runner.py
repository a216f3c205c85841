"""A runner that loads a checkpoint completely or not at all."""
import re
from typing import Callable, Iterable, List, Union

from mmdet.registry import RUNNERS
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from ..checkpoints.safe_checkpoint import read_checkpoint, safe_loading

_NAMED_KEYS = 8


@RUNNERS.register_module()
class StrictRunner(Runner):
    """mmengine's runner, whose checkpoints must fit the model (``tools/`` use it by default).

    The stock runner only logs missing and unexpected entries and goes on with random weights.
    A config starts a model from a part of a checkpoint with the key ``load_ignore``, a list of
    regular expressions: entries whose name one of them finds are neither required nor loaded,
    for instance ``load_ignore = [r'^backbone\\.']``. Resuming a training ignores nothing.
    """

    _resuming = False

    def _init_model_weights(self) -> None:
        """As the stock runner; ``init_cfg=dict(type='Pretrained')`` never executes what a file holds."""
        with safe_loading():
            super()._init_model_weights()

    def load_checkpoint(self, filename: str, map_location: Union[str, Callable] = 'cpu',
                        strict: bool = True, revise_keys: list = [(r'^module\.', '')]) -> dict:
        """Load the weights of ``filename`` into the model; ``resume`` uses this too.

        ``strict=False`` is the stock runner's tolerant way.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is refused (see ``read_checkpoint``) or does not fit the model;
                the entries are named.
        """
        if not strict:
            with safe_loading():
                return super().load_checkpoint(filename, map_location, strict, revise_keys)
        checkpoint = read_checkpoint(filename, map_location)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        weights = checkpoint.get('state_dict', checkpoint)
        for pattern, replacement in revise_keys:
            weights = {re.sub(pattern, replacement, key): v for key, v in weights.items()}
        model = self.model.module if is_model_wrapper(self.model) else self.model
        ignore = () if self._resuming else self.cfg.get('load_ignore', ())
        load_weights(model, weights, filename, [ignore] if isinstance(ignore, str) else ignore)
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint

    def resume(self, filename: str, *args, **kwargs) -> None:
        """As the stock runner; ValueError if the file holds weights but no training state."""
        self._resuming = True
        try:
            super().resume(filename, *args, **kwargs)
        except KeyError as error:
            raise ValueError(
                f'training cannot be resumed from {filename}: it lacks {error}. To start a new '
                'training from its weights, use --cfg-options load_from=... instead') from error
        finally:
            self._resuming = False


def load_weights(model: nn.Module, weights: dict, source: str,
                 ignore: Iterable[str] = ()) -> None:
    """Load ``weights`` into ``model`` completely.

    Args:
        model: The model.
        weights: {name: tensor}.
        source: Where they come from, for error messages.
        ignore: Regular expressions of names that are neither required nor loaded.

    Raises:
        ValueError: A name is missing, unexpected, or of another shape.
    """
    def ignored(name: str) -> bool:
        return any(re.search(pattern, name) for pattern in ignore)

    try:
        result = model.load_state_dict(
            {name: value for name, value in weights.items() if not ignored(name)}, strict=False)
    except RuntimeError as error:
        raise ValueError(f'checkpoint {source} does not fit the model: {error}') from error
    problems = _listed('missing', [k for k in result.missing_keys if not ignored(k)])
    problems += _listed('unexpected', result.unexpected_keys)
    if problems:
        raise ValueError(
            f'checkpoint {source} does not fit the model of this config:\n' + '\n'.join(problems)
            + '\nUse the config it was trained with, or name what tools/train.py and tools/test.py shall '
            'leave out with the config key load_ignore (a list of regular expressions).')


def _listed(kind: str, names: List[str]) -> List[str]:
    if not names:
        return []
    more = f' and {len(names) - _NAMED_KEYS} more' if len(names) > _NAMED_KEYS else ''
    return [f'  {len(names)} {kind}: {", ".join(names[:_NAMED_KEYS])}{more}']

"""Reading weight files without ever executing what a pickle asks for (EVAL trap 16)."""
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from os.path import expanduser
from pathlib import Path
from typing import Union
from zipfile import is_zipfile

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from safetensors import SafetensorError
from safetensors.torch import load_file


def _history_method(owner: type, name: str):
    """Stands in for ``getattr`` in a log history, which names its own statistics that way."""
    if owner is not HistoryBuffer or name not in ('min', 'max', 'current', 'mean'):
        raise pickle.UnpicklingError(f'getattr of {name} is not allowed')
    return getattr(HistoryBuffer, name)


# What mmengine's own checkpoints hold beside tensors and plain values: the log history, which is
# made of numpy arrays, and numpy numbers; numpy 1 wrote other names of the same functions. None of
# them runs code when it is rebuilt.
_SAFE_TYPES = [
    HistoryBuffer, (_history_method, 'builtins.getattr'), np.ndarray, np.dtype,
    np._core.multiarray._reconstruct, np._core.multiarray.scalar,
    (np._core.multiarray._reconstruct, 'numpy.core.multiarray._reconstruct'),
    (np._core.multiarray.scalar, 'numpy.core.multiarray.scalar'),
    *{type(np.dtype(name)) for name in ('bool', 'uint8', 'int32', 'int64', 'float32', 'float64')}
]


def read_checkpoint(path: Union[str, Path], map_location='cpu', mapped: bool = False) -> dict:
    """Contents of a ``.safetensors`` or torch file.

    Args:
        path: of the file.
        map_location: device of the tensors, as of ``torch.load``.
        mapped: tensors of a torch file are read where they are looked at, and what nobody looks at never. For those
            who copy the tensors and drop them: the file must not be written to meanwhile.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or would need to execute code to be read.
    """
    path = Path(expanduser(path))
    if not path.is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist or is not a file')
    try:
        if path.suffix == '.safetensors':
            return load_file(path, device=str(map_location or 'cpu'))
        with torch.serialization.safe_globals(_SAFE_TYPES):
            # torch maps its present format alone
            return torch.load(path, map_location=map_location, weights_only=True, mmap=mapped and is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise ValueError(
            f'checkpoint {path} was refused: it is damaged, or holds objects other than tensors '
            'and plain values, which could execute code. Nothing in it was executed. '
            f'({_reason(error)})') from error
    except (SafetensorError, RuntimeError, EOFError) as error:
        raise ValueError(f'checkpoint {path} is damaged or no checkpoint: {error}') from error


def _reason(error: Exception) -> str:
    """The sentence of torch's long message that names the object, or else its first line."""
    found = re.search(r'WeightsUnpickler error:\s+(.+?)(?: by default|\n|$)', str(error))
    return found.group(1) if found else str(error).strip().split('\n')[0]


def _load_local_file(filename: str, map_location=None) -> dict:
    return read_checkpoint(filename, map_location)


@contextmanager
def safe_loading() -> Iterator[None]:
    """Let mmengine read local files by ``read_checkpoint`` in the block, for ``init_cfg=dict(type='Pretrained')``.

    Its own reader falls back to executing pickles.
    """
    stock = CheckpointLoader._schemes['']
    CheckpointLoader.register_scheme('', _load_local_file, force=True)
    try:
        yield
    finally:
        CheckpointLoader.register_scheme('', stock, force=True)

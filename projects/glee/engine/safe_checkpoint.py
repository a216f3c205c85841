"""Reading weight files without ever executing what a pickle asks for."""
import pickle
from pathlib import Path
from typing import Union

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file


def read_checkpoint(path: Union[str, Path], map_location='cpu') -> dict:
    """Contents of a ``.safetensors`` or torch file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or would need to execute code to be read.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist or is not a file')
    try:
        if path.suffix == '.safetensors':
            return load_file(path, device=str(map_location))
        return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f'checkpoint {path} was refused: it is damaged, or holds objects other than tensors '
            f'and plain values, which could execute code. Nothing in it was executed. ({error})'
        ) from error
    except (SafetensorError, RuntimeError, EOFError) as error:
        raise ValueError(f'checkpoint {path} is damaged or no checkpoint: {error}') from error

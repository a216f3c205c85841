"""A trained language model for a program, or one line that says why not."""
from pathlib import Path
from typing import Union

import torch


def load_language_model(folder: Union[str, Path], glee, device: Union[str, torch.device]):
    """The ``ReasoningSegmentor`` of a folder over a GLEE that is there.

    Args:
        folder: that training wrote.
        glee: the detector, as ``init_model`` gives it.
        device: where the model goes.

    Raises:
        ImportError: it has LoRA and peft is not installed.
        FileNotFoundError, ValueError: as of ``load_adapter``.
    """
    from . import adapters, video  # noqa: F401  (registers the models)
    from .adapter_folder import load_adapter
    return load_adapter(folder, glee, device=device)

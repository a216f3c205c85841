"""Encoded texts in a file, so that a vocabulary passes the text transformer once for all programs."""
import hashlib
from pathlib import Path
from typing import Iterable, NamedTuple, Optional, Union

import torch
from torch import Tensor

from projects.glee.engine.checkpoints.safe_checkpoint import read_checkpoint

_FORMAT = 'glee-text-bank-1'


class TextStates(NamedTuple):
    """States (L, width) of a text after the last LayerNorm, of which the first ``length`` belong to valid tokens."""
    hidden: Tensor
    length: int


class TextBank(NamedTuple):
    """States of names and expressions, as the text transformer with certain weights gives them.

    Attributes:
        names: Of names, as they stand in the template; L = their valid tokens.
        expressions: Of expressions, L = 77.
        template: What the names were put into, '{}' for nothing.
        weights_hash: ``hash_weights`` of the transformer.
        dtype: Of its weights and the states, e.g. 'float32'.
    """
    names: dict[str, TextStates]
    expressions: dict[str, TextStates]
    template: str
    weights_hash: str
    dtype: str

    def save(self, path: Union[str, Path]) -> None:
        """Write to ``path``, a torch file of tensors and plain values only."""
        content = dict(format=_FORMAT, template=self.template, weights_hash=self.weights_hash, dtype=self.dtype)
        for kind in ('names', 'expressions'):
            states = getattr(self, kind)
            content[kind] = dict(
                texts=list(states), sizes=[len(each.hidden) for each in states.values()],
                lengths=[each.length for each in states.values()],
                hidden=torch.cat([each.hidden for each in states.values()]).cpu() if states else torch.zeros(0, 0))
        torch.save(content, path)

    @classmethod
    def load(cls, path: Union[str, Path]) -> 'TextBank':
        """Read what ``save`` wrote, to the CPU.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is no text bank.
        """
        content = read_checkpoint(path)
        if not isinstance(content, dict) or content.pop('format', None) != _FORMAT:
            raise ValueError(f'{path} is no text bank: write it with GLEEInferencer.save_names or '
                             'CLIPTextEncoder.make_bank')
        for kind in ('names', 'expressions'):
            part = content[kind]
            content[kind] = {text: TextStates(hidden, length) for text, hidden, length in zip(
                part['texts'], part['hidden'].split(part['sizes']), part['lengths'])}
        return cls(**content)

    def misfit(self, parameters: Iterable[Tensor], template: str) -> Optional[str]:
        """Why a transformer with these weights, or this template, has other states; None if it has the same."""
        if template != self.template:
            return f'it was made with the template {self.template!r}, the text encoder has {template!r}'
        if hash_weights(parameters) != self.weights_hash:
            return f'it was made with other weights of the text encoder ({self.dtype})'
        return None


def hash_weights(parameters: Iterable[Tensor]) -> str:
    """SHA-256 of all values, shapes and data types of parameters, wherever they lie."""
    digest = hashlib.sha256()
    for parameter in parameters:
        values = parameter.detach().cpu().contiguous()
        digest.update(f'{values.dtype}{tuple(values.shape)}'.encode())
        digest.update(values.view(torch.uint8).numpy())
    return digest.hexdigest()

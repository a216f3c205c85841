"""Text features of a fixed vocabulary in a file (DESIGN section 7, point 3)."""
from pathlib import Path
from typing import Iterable, List, Sequence, Union

import torch
from torch import Tensor

from projects.glee.engine.checkpoints.safe_checkpoint import read_checkpoint

_KEYS = {'names', 'hidden', 'lengths', 'weights_sample'}


class ExportedVocabulary:
    """Hidden states of names, as the text transformer with certain weights gives them.

    Args:
        names: The N names.
        hidden: For each name its states after the last LayerNorm, (L_n, width) float32, L_n = its
            valid tokens.
        weights_sample: ``sample_weights`` of the transformer that made them.
    """

    def __init__(self, names: Sequence[str], hidden: List[Tensor], weights_sample: Tensor) -> None:
        self.hidden = dict(zip(names, hidden))
        self.weights_sample = weights_sample

    def save(self, path: Union[str, Path]) -> None:
        """Write the vocabulary to ``path``, a torch file of tensors and strings only."""
        torch.save(
            dict(names=list(self.hidden),
                 hidden=torch.cat(list(self.hidden.values())),
                 lengths=[len(states) for states in self.hidden.values()],
                 weights_sample=self.weights_sample), path)

    @classmethod
    def load(cls, path: Union[str, Path]) -> 'ExportedVocabulary':
        """Read a file written by ``save``.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is no exported vocabulary.
        """
        content = read_checkpoint(path)
        if not isinstance(content, dict) or set(content) != _KEYS:
            raise ValueError(f"vocabulary_file='{path}' was not written by export_vocabulary")
        hidden = content['hidden'].split(content['lengths'])
        return cls(content['names'], list(hidden), content['weights_sample'])

    def verify(self, parameters: Iterable[Tensor]) -> None:
        """Raise ValueError unless ``parameters`` are the weights that made this vocabulary."""
        if not torch.equal(sample_weights(parameters), self.weights_sample):
            raise ValueError(
                'vocabulary_file holds features of other text encoder weights than the ones '
                'loaded now; write it again with export_vocabulary, or leave the key out')


def sample_weights(parameters: Iterable[Tensor], count: int = 64) -> Tensor:
    """About ``count`` evenly spread values of every parameter, one float32 vector on the CPU."""
    samples = [p.detach().flatten()[::max(1, p.numel() // count)] for p in parameters]
    return torch.cat([s.float().cpu() for s in samples])

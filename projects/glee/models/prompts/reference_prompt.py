"""A prompted object of another picture as a prompt: encoded once, kept in a file."""
from pathlib import Path
from typing import NamedTuple, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...structures.prompt_tokens import ObjectTokens
from ..language_models.text_prompt import TextPrompt

_FORMAT = 'glee-reference-2'


class ReferencePrompt(NamedTuple):
    """Encoded reference.

    ``template_tokens``: (T, D) for early fusion. ``levels``: point tokens [(L, D)], one set per level but
    the coarsest. ``pooled``: (D,) mean of the mask features at the prompt's pixels. ``name``: (D,) what names are
    compared with of the object found there (``GLEEHead.name_embeds``). ``kind``: of the prompt.
    """
    template_tokens: Tensor
    levels: list[Tensor]
    pooled: Tensor
    name: Tensor
    kind: str

    @property
    def tokens(self) -> ObjectTokens:
        """What it says to the decoders of another picture."""
        return ObjectTokens(self.template_tokens, self.levels)

    def to(self, *args, **kwargs) -> 'ReferencePrompt':
        """As ``Tensor.to``."""
        return ReferencePrompt(self.template_tokens.to(*args, **kwargs),
                               [level.to(*args, **kwargs) for level in self.levels],
                               self.pooled.to(*args, **kwargs), self.name.to(*args, **kwargs), self.kind)

    def save(self, path: str | Path) -> None:
        """Write to a file for :meth:`load`."""
        torch.save(dict(format=_FORMAT, **self._asdict()), path)

    @classmethod
    def load(cls, path: str | Path) -> 'ReferencePrompt':
        """Read what :meth:`save` wrote, to the CPU.

        Raises:
            ValueError: the file is no saved reference.
        """
        content = torch.load(path, map_location='cpu', weights_only=True)
        if not isinstance(content, dict) or content.pop('format', None) != _FORMAT:
            raise ValueError(f'{path} is not a saved reference: write it with ReferencePrompt.save')
        return cls(**content)


def name_prompt(references: Sequence[ReferencePrompt], prompt: TextPrompt) -> TextPrompt:
    """Each of R references as the only name of its image, at the length of the names of ``prompt`` (R images).

    The pixels read what they read with ``prompt``, and the templates of the references.
    """
    names = F.normalize(torch.stack([reference.name for reference in references]), dim=-1)
    templates = torch.stack([reference.template_tokens for reference in references])
    return prompt._replace(embeds=names[:, None] * prompt.embeds.norm(dim=-1).mean(),
                           fusion_tokens=torch.cat([prompt.fusion_tokens, templates], 1))

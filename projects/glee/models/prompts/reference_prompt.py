"""A prompted object of another picture as a prompt: encoded once, kept in a file."""
from pathlib import Path
from typing import NamedTuple, Sequence

import torch
import torch.nn.functional as F
from mmcv.ops import point_sample
from torch import Tensor, nn

from ...structures.prompt_tokens import PromptTokens
from ...structures.prompted_objects import PromptedObjects
from ..language_models.text_prompt import TextPrompt
from .prompt_composer import PromptEvidence
from .visual_prompter import VisualPrompt, choose_pixels

_FORMAT = 'glee-reference-2'


class ReferencePrompt(NamedTuple):
    """Encoded reference.

    ``template_tokens``: (T, D) for early fusion. ``levels``: point tokens [(L, D)], one set per level but
    the coarsest. ``pooled``: (D,) mean of the mask features at the prompt's pixels. ``name``: (D,) what names are
    compared with of the object found there (``name_embeds``). ``kind``: of the prompt.
    """
    template_tokens: Tensor
    levels: list[Tensor]
    pooled: Tensor
    name: Tensor
    kind: str

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


def name_embeds(head, embeddings: Tensor) -> Tensor:
    """What the head compares with names (..., D), of query embeddings (..., D)."""
    return head.decoder.norm(embeddings) @ head.category_embed


def encode_reference(head, feats: Sequence[Tensor], rows: PromptedObjects, templates: list[Tensor],
                     text: TextPrompt) -> ReferencePrompt:
    """Encode the one prompted object of ``rows`` as a prompt for other pictures.

    Args:
        head (GLEEHead): the head, in eval mode.
        feats (Sequence[Tensor]): backbone maps [(1, C, h, w)] of the picture.
        rows (PromptedObjects): one row with positive pixels.
        templates (list[Tensor]): backbone maps of its template.
        text (TextPrompt): encoded vocabulary (B=1) for early fusion.
    """
    visual = VisualPrompt(head.prompter.template_tokens(templates), rows.masks, rows.neg_masks)
    outputs = head.decode(feats, text, last_only=True, visual=visual)
    tokens = head.prompter.point_tokens(outputs.levels, visual)
    points = choose_pixels(rows.masks[0], head.prompter.num_points, torch.Generator().manual_seed(0))
    sampled = point_sample(outputs.mask_features, points[None].to(outputs.mask_features.dtype))[0]
    last = {key: value[0] for key, value in outputs.predictions[''].items()}
    evidence = PromptEvidence(visual=head.composer.visual_probability(last['scores'], last['logits']),
                              positive=(last['mask_embeds'] @ sampled).sigmoid().mean(-1))
    found = outputs.embeddings[0, head.composer(evidence).argmax()]
    return ReferencePrompt(visual.template_tokens[0], [level[0] for level in tokens.levels], sampled.mean(-1),
                           name_embeds(head, found), rows.kinds[0])


def name_prompt(references: Sequence[ReferencePrompt], prompt: TextPrompt) -> TextPrompt:
    """Each of R references as the only name of its row, at the length of the names of ``prompt`` (R rows).

    The pixels read what they read with ``prompt``, and the templates of the references.
    """
    names = F.normalize(torch.stack([reference.name for reference in references]), dim=-1)
    templates = torch.stack([reference.template_tokens for reference in references])
    return prompt._replace(embeds=names[:, None] * prompt.embeds.norm(dim=-1).mean(),
                           fusion_tokens=torch.cat([prompt.fusion_tokens, templates], 1))


def stack_references(references: Sequence[ReferencePrompt]) -> tuple[Tensor, PromptTokens]:
    """Template tokens (R, T, D) and padded point tokens of R references."""
    sets, valid = [], []
    for level in zip(*(reference.levels for reference in references)):
        lengths = torch.tensor([len(tokens) for tokens in level], device=level[0].device)
        sets.append(nn.utils.rnn.pad_sequence(list(level), batch_first=True))
        valid.append(torch.arange(sets[-1].shape[1], device=level[0].device) < lengths[:, None])
    return torch.stack([reference.template_tokens for reference in references]), PromptTokens(sets, valid)

"""What ``GLEEHead`` makes of a batch."""
from typing import NamedTuple, Sequence

import torch
from torch import Tensor

from ...structures.denoising_queries import DenoisingQueries
from ..layers.query_selection import EncodedMemory


class HeadOutputs(NamedTuple):
    """Raw predictions of a batch.

    ``predictions``: one dict(logits (B,Q,C), boxes (B,Q,4) cxcywh in 0..1 of the padded input,
    scores (B,Q,1) logits, mask_embeds (B,Q,D)) per supervised output: 'enc' (two-stage), 'd0' (before
    layer 1), 'd1'.. (after each layer but the last) and '' (the last layer).
    ``mask_features``: (B,D,h,w); mask logits are its product with ``mask_embeds``.
    ``embeddings``: (B,Q,D) tracking embeddings. ``topk_indices``: (B,Q) positions in the coarse-to-fine
    memory. ``denoising``: the denoising queries, their predictions under 'dn', 'dn.d0', ...
    ``levels``: encoder maps [(B, D, h, w)], fine to coarse. ``memory``: what the queries were selected from.
    """
    predictions: dict[str, dict[str, Tensor]]
    mask_features: Tensor
    embeddings: Tensor
    topk_indices: Tensor
    denoising: DenoisingQueries | None
    dn_predictions: dict[str, dict[str, Tensor]] | None
    levels: Sequence[Tensor]
    memory: EncodedMemory

    def last(self, index: int) -> dict[str, Tensor]:
        """Predictions of the last layer for one member of the batch."""
        return {key: value[index] for key, value in self.predictions[''].items()}

    def of(self, members: slice) -> 'HeadOutputs':
        """Those of some members of the batch, at test."""
        predictions = {output: {key: value[members] for key, value in found.items()}
                       for output, found in self.predictions.items()}
        content, logits = (None if part is None else part[members] for part in self.memory[:2])
        return HeadOutputs(
            predictions, self.mask_features[members], self.embeddings[members], self.topk_indices[members], None, None,
            [level[members] for level in self.levels], self.memory._replace(content=content, logits=logits))

    def masks(self, index: int, queries: Tensor | slice = slice(None)) -> Tensor:
        """Mask logits (n, h, w) of some queries of one member of the batch."""
        embeds = self.predictions['']['mask_embeds'][index, queries]
        return torch.einsum('qd,dhw->qhw', embeds, self.mask_features[index])


def split_layers(fields: dict[str, Tensor], num_layers: int) -> dict[str, dict[str, Tensor]]:
    """Predictions per supervised output, 'd0', 'd1', ... and '', of those of all layers (B, num_layers * Q, ...)."""
    keys = [*(f'd{index}' for index in range(num_layers - 1)), '']
    parts = {name: value.chunk(num_layers, 1) for name, value in fields.items()}
    return {key: {name: part[index] for name, part in parts.items()} for index, key in enumerate(keys)}


def split_denoising(outputs: dict[str, dict[str, Tensor]], pad: int) -> tuple[dict, dict]:
    """Predictions of the ordinary queries, and of the ``pad`` denoising ones before them: 'dn', 'dn.d0', ..."""
    ordinary = {key: {name: value[:, pad:] for name, value in found.items()} for key, found in outputs.items()}
    noised = {'dn' + (f'.{key}' if key else ''): {name: value[:, :pad] for name, value in found.items()}
              for key, found in outputs.items()}
    return ordinary, noised


def each_once(queries: Tensor) -> tuple[Tensor, Tensor]:
    """Different queries (M,) of some (N,), and which of them each is (N,).

    On a GPU, which would have to wait for their number, all as they are: its masks cost less than the wait.
    """
    if queries.device.type != 'cpu':
        return queries, torch.arange(len(queries), device=queries.device)
    return queries.unique(return_inverse=True)

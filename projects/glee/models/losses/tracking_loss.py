"""Contrastive loss between the query embeddings of consecutive frames."""
from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..task_modules.matcher import Match

NO_IDENTITY = -1


@MODELS.register_module()
class ContrastiveTrackingLoss(nn.Module):
    """Embeddings of one identity attract, all others repel (DESIGN section 5, 'Tracking').

    Rows are the earlier frame's matched queries and some random unmatched ones, columns the later
    frame's matched queries; entries are raw dot products. A pair of consecutive frames gives
    log(1 + sum over positives and negatives of exp(negative - positive)) over its whole matrix; the
    sum over pairs is divided by the number of objects in the later frames.

    Args:
        num_negatives (int): random queries of the earlier frame; matched ones among them are left out.
        loss_weight (float): factor of the result.
    """

    def __init__(self, num_negatives: int = 20, loss_weight: float = 2.0) -> None:
        super().__init__()
        self.num_negatives = num_negatives
        self.loss_weight = loss_weight

    def forward(self, embeddings: Tensor, matches: Sequence[Match], identities: Sequence[Tensor],
                num_frames: int, negatives: Sequence[Tensor] | None = None) -> Tensor:
        """Loss of a batch of clips.

        Args:
            embeddings (Tensor): (N*T, Q, D), the frames of a clip one after the other.
            matches (Sequence[tuple]): per frame the matched queries and their objects, both (M,).
            identities (Sequence[Tensor]): per frame the track identity of each object, Long; -1
                marks an object that has none and takes no part.
            num_frames (int): frames T of a clip.
            negatives (Sequence[Tensor] | None): per frame the random queries to use; None draws them.

        Returns:
            Tensor: scalar; zero, but in the graph, if no frame pair has both kinds of pairs.

        Raises:
            ValueError: the number of frames is not a multiple of ``num_frames``.
        """
        if len(embeddings) % num_frames:
            raise ValueError(f'{len(embeddings)} frames are no multiple of num_frames={num_frames}')
        embeddings = embeddings.float()
        total, objects = embeddings.sum() * 0, 0
        for later in range(len(embeddings)):
            if later % num_frames == 0:
                continue
            earlier = later - 1
            drawn = None if negatives is None else negatives[earlier]
            rows, row_ids = self._rows(embeddings[earlier], matches[earlier], identities[earlier], drawn)
            queries, column_ids = _identified(matches[later], identities[later])
            total = total + _pair_loss(rows @ embeddings[later][queries].T, row_ids, column_ids)
            objects += len(queries)
        return self.loss_weight * total / max(objects, 1)

    def _rows(self, embeddings: Tensor, match: Match, identities: Tensor,
              drawn: Tensor | None) -> tuple[Tensor, Tensor]:
        """Embeddings (R, D) of the earlier frame and their identities; unmatched ones get -1."""
        if drawn is None:
            drawn = torch.randperm(len(embeddings), device=embeddings.device)[:self.num_negatives]
        unmatched = drawn[~torch.isin(drawn, match[0])]
        queries, ids = _identified(match, identities)
        ids = torch.cat([ids, ids.new_full((len(unmatched), ), NO_IDENTITY)])
        return embeddings[torch.cat([queries, unmatched])], ids


def _identified(match: Match, identities: Tensor) -> tuple[Tensor, Tensor]:
    """Matched queries whose object has an identity, and that identity."""
    queries, objects = match
    ids = identities[objects]
    return queries[ids != NO_IDENTITY], ids[ids != NO_IDENTITY]


def _pair_loss(scores: Tensor, row_ids: Tensor, column_ids: Tensor) -> Tensor:
    """log(1 + sum of exp(negative - positive)) over the matrix ``scores`` (R, C)."""
    positive = row_ids[:, None] == column_ids[None]
    margins = scores[~positive][None] - scores[positive][:, None]
    return torch.cat([margins.flatten(), margins.new_zeros(1)]).logsumexp(0)

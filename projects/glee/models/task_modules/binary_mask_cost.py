"""Cost of matching a mask with an object, from few passes over the logits."""
import torch
import torch.nn.functional as F
from mmdet.models.task_modules.assigners.match_cost import BaseMatchCost
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData
from torch import Tensor

from ..layers.row_linear import row_product

# logits of so many points exist at a time on a CPU, where they stay in the cache
CHUNK_POINTS = 1024


@TASK_UTILS.register_module()
class BinaryMaskCost(BaseMatchCost):
    """Mean binary cross-entropy and dice of masks at points (DESIGN section 5, 'Losses').

    The numbers of mmdet's ``CrossEntropyLossCost`` and ``DiceCost``. The entropy of logit x and value t is
    softplus(x) - x t: the first part is a sum per query and only the second is a product, so that the logits, the
    largest tensor of the matching, are passed over a few times instead of a dozen. Where they are products of
    embeddings e and features F themselves (``of_embeds``) the second part needs no logits: (e F) t = e (F t).

    Args:
        entropy_weight, dice_weight (float): weights of the two terms.
        eps (float): added to numerator and denominator of dice.
    """

    def __init__(self, entropy_weight: float = 5., dice_weight: float = 5., eps: float = 1.) -> None:
        super().__init__(weight=1.)
        self.entropy_weight = entropy_weight
        self.dice_weight = dice_weight
        self.eps = eps

    def __call__(self, pred_instances: InstanceData, gt_instances: InstanceData,
                 img_meta: dict | None = None) -> Tensor:
        """Weighted cost (Q, N) of ``masks``: logits (Q, P) of the queries and values (N, P) of the objects."""
        return self._weighted(*self.terms(pred_instances.masks, gt_instances.masks.to(pred_instances.masks)))

    def terms(self, logits: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy and dice (Q, N), unweighted, of logits (Q, P) and values (N, P) in 0..1."""
        entropy = (F.softplus(logits).sum(1)[:, None] - logits @ values.T) / logits.shape[1]
        probabilities = logits.sigmoid()
        return entropy, self._dice(probabilities @ values.T, probabilities.sum(1), values)

    def of_embeds(self, embeds: Tensor, features: Tensor, values: Tensor) -> Tensor:
        """Weighted cost (Q, N) of the logits ``embeds @ features.T``, which on a CPU never exist as a whole.

        Args:
            embeds (Tensor): (Q, D) of the queries.
            features (Tensor): (P, D) of the points.
            values (Tensor): (N, P) of the objects, in 0..1.
        """
        # a last row of ones sums the probabilities up
        objects = torch.cat([values, values.new_ones(1, values.shape[1])])
        softplus, inside = embeds.new_zeros(len(embeds)), embeds.new_zeros(len(objects), len(embeds))
        points = CHUNK_POINTS if embeds.device.type == 'cpu' else len(features)
        for rows, part in zip(features.split(points), objects.split(points, 1)):
            logits = row_product(rows, embeds)
            softplus += F.softplus(logits).sum(0)
            inside += part @ logits.sigmoid_()
        entropy = (softplus[:, None] - embeds @ (values @ features).T) / len(features)
        return self._weighted(entropy, self._dice(inside[:-1].T, inside[-1], values))

    def _dice(self, overlap: Tensor, sizes: Tensor, values: Tensor) -> Tensor:
        """(Q, N) of sums (Q, N) of the probabilities inside of the objects and their sums (Q,)."""
        return 1 - (2 * overlap + self.eps) / (sizes[:, None] + values.sum(1) + self.eps)

    def _weighted(self, entropy: Tensor, dice: Tensor) -> Tensor:
        return self.entropy_weight * entropy + self.dice_weight * dice

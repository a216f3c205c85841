"""Cost of matching a mask with an object, from few passes over the logits."""
import torch.nn.functional as F
from mmdet.models.task_modules.assigners.match_cost import BaseMatchCost
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData
from torch import Tensor


@TASK_UTILS.register_module()
class BinaryMaskCost(BaseMatchCost):
    """Mean binary cross-entropy and dice of masks at points (DESIGN section 5, 'Losses').

    The numbers of mmdet's ``CrossEntropyLossCost`` and ``DiceCost``. The entropy of logit x and value t is
    softplus(x) - x t: the first part is a sum per query and only the second is a product, so that the logits, the
    largest tensor of the matching, are passed over a few times instead of a dozen.

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
        entropy, dice = self.terms(pred_instances.masks, gt_instances.masks.to(pred_instances.masks))
        return self.entropy_weight * entropy + self.dice_weight * dice

    def terms(self, logits: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy and dice (Q, N), unweighted, of logits (Q, P) and values (N, P) in 0..1."""
        entropy = (F.softplus(logits).sum(1)[:, None] - logits @ values.T) / logits.shape[1]
        probabilities = logits.sigmoid()
        sizes = probabilities.sum(1)[:, None] + values.sum(1)
        dice = 1 - (2 * probabilities @ values.T + self.eps) / (sizes + self.eps)
        return entropy, dice

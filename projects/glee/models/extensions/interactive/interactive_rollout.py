"""Training on the model's own mistakes: simulated rounds before the one that is trained (SEEM section 3.3)."""
import torch
import torch.nn.functional as F
from mmdet.registry import TASK_UTILS
from mmdet.structures import SampleList
from torch import Tensor

from ....prompts.click_simulation import ClickSimulator
from ....prompts.rasters import point_mask
from ....structures.prompted_objects import PromptedObjects


@TASK_UTILS.register_module()
class InteractiveRollout:
    """Plays 0..``max_rounds`` rounds without gradient and returns the prompts as they are then.

    In each round the most confident query of every prompted object is compared with the object, and a click
    on the mistake joins the positive or negative pixels; the mask becomes the previous one.

    Args:
        max_rounds (int): the number of rounds is uniform in 0..max_rounds, one draw per batch.
        rule (str): how clicks are chosen, see ``ClickSimulator``.
    """

    def __init__(self, max_rounds: int = 3, rule: str = 'seem') -> None:
        self.max_rounds = max_rounds
        self.rule = rule

    @torch.no_grad()
    def __call__(self, model, batch_inputs: Tensor, feats: tuple[Tensor, ...], data_samples: SampleList,
                 objects: PromptedObjects) -> PromptedObjects:
        """Prompts of the graded round; arguments as the detector has them."""
        rounds = int(torch.randint(self.max_rounds + 1, ()))
        truths = [data_samples[image].gt_instances.masks.masks[index].astype(bool)
                  for image, index in zip(objects.images.tolist(), objects.objects.tolist())]
        users = [ClickSimulator(truth, rule=self.rule) for truth in truths]
        for _ in range(rounds):
            logits = self._masks(model, batch_inputs, feats, data_samples, objects)
            full = F.interpolate(logits[:, None].float(), tuple(objects.masks.shape[-2:]), mode='bilinear',
                                 align_corners=False)[:, 0] > 0
            masks, neg_masks = objects.masks.clone(), objects.neg_masks.clone()
            for row, user in enumerate(users):
                click = user.next(full[row].cpu().numpy())
                if click is not None:
                    drawn = torch.from_numpy(point_mask(user.truth.shape, click.x, click.y)).to(masks.device)
                    (masks if click.positive else neg_masks)[row] |= drawn
            objects = objects.with_pixels(masks, neg_masks & ~masks)._replace(prev_logits=list(logits))
        return objects

    @staticmethod
    def _masks(model, batch_inputs: Tensor, feats: tuple[Tensor, ...], data_samples: SampleList,
               objects: PromptedObjects) -> Tensor:
        """Mask logits (P, h, w) of the most confident query of each object."""
        outputs = model.panoptic_head(feats, data_samples, model.extract_templates(batch_inputs, objects))
        best = outputs['pred_scores'][..., 0].argmax(1)
        return outputs['pred_masks'][torch.arange(len(best), device=best.device), best]

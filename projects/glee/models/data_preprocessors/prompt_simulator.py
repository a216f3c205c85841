"""Training batches in which one object per image is pointed at (DESIGN section 5, 'Kinds in training')."""
import numpy as np
import torch
from mmdet.registry import TASK_UTILS
from mmdet.structures import SampleList
from mmengine.structures import InstanceData

from ...prompts.samplers import SAMPLERS, check_kinds, sample_mask, sample_prompt


@TASK_UTILS.register_module()
class PromptSimulator:
    """Turns a batch into a prompt batch with its source's probability.

    A batch whose samples declare ``prompt_prob`` (``SetSource``) becomes one with that probability if every
    image has an object with a mask. One random object per image is kept; the others become background.
    Vocabulary and labels stay. The kind is drawn once per batch. Random numbers come from torch's CPU
    generator.

    Args:
        kinds (dict[str, float]): weights of 'mask', 'box', 'point', 'polygon', 'scribble', 'circle', for samples
            without ``prompt_kinds`` of their own (``SetSource``).
        max_points (int): a 'point' prompt has 1..``max_points`` clicks, as many as pixels at most; SEEM takes 20.

    Raises:
        ValueError: unknown kinds, or ``max_points`` below 1.
    """

    def __init__(self, kinds: dict[str, float] = dict(mask=0.6, box=0.08, point=0.32), max_points: int = 1) -> None:
        check_kinds(kinds, 'PromptSimulator')
        if max_points < 1:
            raise ValueError(f'PromptSimulator: max_points={max_points} must be at least 1')
        self.kinds = dict(kinds)
        self.max_points = max_points

    def wants(self, data_samples: SampleList) -> bool:
        """Draw whether this batch becomes a prompt batch; no number is drawn where it cannot."""
        probability = min(sample.get('prompt_prob', 0.) for sample in data_samples)
        return probability > 0 and self.can(data_samples) and float(torch.rand(())) < probability

    @staticmethod
    def can(data_samples: SampleList) -> bool:
        """Whether every image has an object with a mask and none a prompt."""
        return all('prompts' not in sample and 'masks' in sample.gt_instances and len(sample.gt_instances)
                   for sample in data_samples)

    def __call__(self, data_samples: SampleList) -> None:
        """Choose an object per image and prompt it, in place; masks are already padded."""
        kinds = data_samples[0].get('prompt_kinds') or self.kinds  # a batch is of one source
        name = list(kinds)[int(torch.multinomial(torch.tensor([float(weight) for weight in kinds.values()]), 1))]
        rng = np.random.default_rng(torch.randint(2**31, (2, )).tolist())
        for sample in data_samples:
            objects = sample.gt_instances
            chosen = int(torch.randint(len(objects), ()))
            mask = objects.masks.masks[chosen].astype(bool)
            drawn = sample_prompt(name, mask, rng, **(dict(max_points=self.max_points) if name == 'point' else {}))
            kind = SAMPLERS[name][1]
            if drawn is None or not drawn.any():
                drawn, kind = sample_mask(mask, rng), 'mask'
            device = objects.labels.device
            sample.gt_instances = objects[chosen:chosen + 1]
            masks = torch.from_numpy(drawn)[None].to(device)
            sample.prompts = InstanceData(
                masks=masks, neg_masks=torch.zeros_like(masks), kinds=[kind],
                object_ids=torch.zeros(1, dtype=torch.long, device=device))

"""Training batches in which one object per image or clip is pointed at (DESIGN section 5, 'Kinds in training')."""
from collections.abc import Sequence

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, TrackDataSample
from torch import Tensor, nn

from ...prompts.samplers import SAMPLERS, check_kinds, sample_mask, sample_prompt
from ...structures.clips import flatten_clips
from ...structures.prompted_objects import ObjectPrompts


@MODELS.register_module()
class BatchPrompts(nn.Module):
    """Batch augment that turns a batch into a prompt batch with its source's probability, in place.

    A batch whose samples declare ``prompt_prob`` (``SetSource``) becomes one with that probability if every image, or
    the first frame of every clip, has an object with a mask and no prompt yet. One random object per image or first
    frame is kept; the others become background. Of the later frames of a clip the object of the same identity alone
    remains, if it is there. Vocabulary and labels stay, so it comes after ``BatchVocabulary``. The kind is drawn once
    per batch. Random numbers come from torch's CPU generator.

    Args:
        kinds (dict[str, float]): weights of 'mask', 'box', 'point', 'polygon', 'scribble', 'circle' for images
            without ``prompt_kinds`` of their own (``SetSource``).
        clip_kinds (dict[str, float]): likewise for clips.
        max_points (int): a 'point' prompt has 1..``max_points`` clicks, as many as pixels at most; SEEM takes 20.

    Raises:
        ValueError: unknown kinds, or ``max_points`` below 1.
    """

    def __init__(self, kinds: dict[str, float] = dict(mask=0.6, box=0.08, point=0.32),
                 clip_kinds: dict[str, float] = dict(mask=1.0), max_points: int = 1) -> None:
        super().__init__()
        for weights in (kinds, clip_kinds):
            check_kinds(weights, 'BatchPrompts')
        if max_points < 1:
            raise ValueError(f'BatchPrompts: max_points={max_points} must be at least 1')
        self.kinds = dict(kinds)
        self.clip_kinds = dict(clip_kinds)
        self.max_points = max_points

    def forward(self, inputs: Tensor,
                data_samples: Sequence[DetDataSample | TrackDataSample]) -> tuple[Tensor, Sequence]:
        """The batch, with prompts or as it was; masks are already padded."""
        frames, num_frames = flatten_clips(data_samples)
        if self._wanted(frames[::num_frames]):
            is_clip = isinstance(data_samples[0], TrackDataSample)
            self.prompt(frames[::num_frames], self.clip_kinds if is_clip else self.kinds)
            for number, frame in enumerate(frames):
                first = frames[number - number % num_frames]
                if frame is not first:
                    same = frame.gt_instances.instances_ids == first.gt_instances.instances_ids
                    frame.gt_instances = frame.gt_instances[same]
        return inputs, data_samples

    @staticmethod
    def _wanted(samples: Sequence[DetDataSample]) -> bool:
        """Draw whether these images become a prompt batch; no number is drawn where they cannot."""
        probability = min(sample.get('prompt_prob', 0.) for sample in samples)
        possible = all('prompts' not in sample and 'masks' in sample.gt_instances and len(sample.gt_instances)
                       for sample in samples)
        return probability > 0 and possible and float(torch.rand(())) < probability

    def prompt(self, samples: Sequence[DetDataSample], kinds: dict[str, float]) -> None:
        """Choose an object of each image and point at it.

        Args:
            samples (Sequence[DetDataSample]): of one source, each with an object with a mask.
            kinds (dict[str, float]): weights of the kinds, unless the source brings its own.
        """
        kinds = samples[0].get('prompt_kinds') or kinds
        name = list(kinds)[int(torch.multinomial(torch.tensor([float(weight) for weight in kinds.values()]), 1))]
        rng = np.random.default_rng(torch.randint(2**31, (2, )).tolist())
        for sample in samples:
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
            sample.prompts = ObjectPrompts(
                masks=masks, neg_masks=torch.zeros_like(masks), kinds=[kind],
                object_ids=torch.zeros(1, dtype=torch.long, device=device))

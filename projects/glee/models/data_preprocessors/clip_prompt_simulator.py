"""Clips in which one object of the first frame is pointed at (DESIGN section 5, 'Kinds in training')."""
from mmdet.registry import TASK_UTILS
from mmdet.structures import SampleList

from .prompt_simulator import PromptSimulator


@TASK_UTILS.register_module()
class ClipPromptSimulator(PromptSimulator):
    """``PromptSimulator`` that also knows clips.

    Frames carry ``clip_frame``, their position in the clip. A batch of clips becomes a prompt batch if
    every first frame has an object with a mask; the prompt is drawn in the first frame, and of all frames
    the object of that identity alone remains, if it is there.

    Args:
        clip_kinds (dict[str, float]): weights of the kinds for clips; ``kinds`` are those for images. Either gives
            way to the samples' own ``prompt_kinds``.
    """

    def __init__(self, clip_kinds: dict[str, float] = dict(mask=1.0), **kwargs) -> None:
        super().__init__(**kwargs)
        self.of_clips = PromptSimulator(clip_kinds)

    def can(self, data_samples: SampleList) -> bool:
        """Whether every image, or every first frame, has an object with a mask and none a prompt."""
        return super().can([sample for sample in data_samples if sample.get('clip_frame', 0) == 0])

    def __call__(self, data_samples: SampleList) -> None:
        """Choose and prompt an object per image or clip, in place."""
        if not any('clip_frame' in sample for sample in data_samples):
            super().__call__(data_samples)
            return
        self.of_clips([sample for sample in data_samples if sample.clip_frame == 0])
        identity = None
        for sample in data_samples:
            ids = sample.gt_instances.instances_ids
            identity = ids[:1] if sample.clip_frame == 0 else identity
            sample.gt_instances = sample.gt_instances[ids == identity]

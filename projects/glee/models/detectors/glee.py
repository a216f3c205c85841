"""The GLEE detector."""
from contextlib import contextmanager
from typing import Iterator

import torch
from mmdet.models.detectors import MaskFormer
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import SampleList
from torch import Tensor, nn

from ...structures.prompted_objects import PromptedObjects, gather_prompts


@contextmanager
def eval_mode(*modules: nn.Module) -> Iterator[None]:
    """Put modules into eval mode and afterwards every part of them back into the mode it had."""
    modes = [(part, part.training) for module in modules for part in module.modules()]
    for module in modules:
        module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@MODELS.register_module()
class GLEE(MaskFormer):
    """General object foundation model (GLEE, CVPR 2024) on mmdet's mask-classification detector.

    Backbone, neck and the ``loss``, ``predict`` and ``tensor`` modes are those of ``MaskFormer``; what is
    GLEE's lives in ``panoptic_head`` (``GLEEHead``) and ``panoptic_fusion_head`` (``GLEEFusionHead``).
    ``mode='tensor'`` returns the dict documented in ``GLEEHead.forward``. Where samples have ``prompts``
    the detector also hands the head the features of a template of each prompted object.

    Args:
        rollout (dict | None): config of simulated rounds before each trained prompt (``InteractiveRollout``).
        **kwargs: of the base class.
    """

    template_chunk = 16  # templates that pass the backbone at once

    def __init__(self, rollout: dict | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.rollout = rollout and TASK_UTILS.build(rollout)

    def extract_templates(self, batch_inputs: Tensor, rows: PromptedObjects) -> list[Tensor] | None:
        """Backbone maps [(V, C, h, w)] of the templates of the V rows with positive pixels.

        In eval mode and without gradient, whatever the mode of the detector (DESIGN section 5).

        Args:
            batch_inputs (Tensor): (B, 3, H, W) normalised.
            rows (PromptedObjects): the prompted objects of the batch.

        Raises:
            ValueError: the head has no prompter.
        """
        prompter = getattr(self.panoptic_head, 'prompter', None)
        if prompter is None:
            raise ValueError('data samples carry prompts but the panoptic_head has no prompter: set '
                             "panoptic_head.prompter=dict(type='VisualPrompter') in the config")
        visual = [row for row, has_pixels in enumerate(rows.is_visual) if has_pixels]
        chunks = []
        with torch.no_grad(), eval_mode(self.backbone, *([self.neck] if self.with_neck else [])):
            for start in range(0, len(visual), self.template_chunk):
                part = rows.pick(visual[start:start + self.template_chunk])
                crops = prompter.crop(batch_inputs[part.images], part.masks, part.kinds)
                chunks.append(self.extract_feat(crops))
        return [torch.cat(maps) for maps in zip(*chunks)] or None

    def _head_inputs(self, batch_inputs: Tensor, batch_data_samples: SampleList, rollout: bool = False) -> tuple:
        """Features, samples and, if there are prompts, prompted objects and features of their templates."""
        rows, feats = gather_prompts(batch_data_samples), self.extract_feat(batch_inputs)
        if rows is None:
            return feats, batch_data_samples
        if rollout and self.rollout is not None:
            rows = self.rollout(self, batch_inputs, feats, batch_data_samples, rows)
        return feats, batch_data_samples, rows, self.extract_templates(batch_inputs, rows)

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Losses of a batch, see ``GLEEHead.loss``."""
        return self.panoptic_head.loss(*self._head_inputs(batch_inputs, batch_data_samples, rollout=True))

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList,
                rescale: bool = True) -> SampleList:
        """``pred_instances`` of a batch; one per prompted object, in order, where a sample has ``prompts``."""
        selected = self.panoptic_head.predict(*self._head_inputs(batch_inputs, batch_data_samples))
        results = self.panoptic_fusion_head.predict(*selected, batch_data_samples, rescale=rescale)
        return self.add_pred_to_datasample(batch_data_samples, results)

    def _forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """``mode='tensor'``, one row per prompted object where samples have ``prompts``."""
        return self.panoptic_head(*self._head_inputs(batch_inputs, batch_data_samples))

    def add_pred_to_datasample(self, data_samples: SampleList, results_list: list[dict]) -> SampleList:
        """As the base class, and ``pred_sem_seg`` where there is a semantic map."""
        for sample, results in zip(data_samples, results_list):
            if 'sem_results' in results:
                sample.pred_sem_seg = results.pop('sem_results')
        return super().add_pred_to_datasample(data_samples, results_list)

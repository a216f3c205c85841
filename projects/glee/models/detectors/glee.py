"""The GLEE detector."""
from contextlib import contextmanager
from typing import Iterator, Sequence

import torch
from mmdet.models.detectors import MaskFormer
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import DetDataSample, SampleList
from torch import Tensor, nn

from ...structures.prompted_objects import PromptedObjects, gather_prompts
from ...structures.sample_origin import sample_origin
from ...structures.sample_text import as_names
from ..layers.cpu_products import fast_products


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
        self.rollout = None if rollout is None else TASK_UTILS.build(rollout)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """As the base class, of pictures (B, 3, H, W) in any precision, in that of the weights."""
        batch_inputs = batch_inputs.type_as(next(self.backbone.parameters()))
        if batch_inputs.device.type == 'cpu' and not (torch.compiler.is_compiling() or torch.jit.is_tracing()):
            # what oneDNN and the pixel decoder, which reads pixels as rows, need not rearrange
            batch_inputs = batch_inputs.contiguous(memory_format=torch.channels_last)
        with fast_products(batch_inputs, with_gradients=True, recomputed=True):
            return super().extract_feat(batch_inputs)

    def extract_templates(self, batch_inputs: Tensor, objects: PromptedObjects,
                          wanted: Sequence[bool] | None = None) -> PromptedObjects:
        """The objects with the templates of those that have positive pixels.

        Templates pass the backbone in eval mode and without gradient, whatever the mode of the detector (DESIGN
        section 5).

        Args:
            batch_inputs (Tensor): (B, 3, H, W) normalised.
            objects (PromptedObjects): the prompted objects of the batch.
            wanted (Sequence[bool] | None): whether anything reads the template of each object; None for yes.

        Raises:
            ValueError: the head has no prompter.
        """
        prompter = getattr(self.panoptic_head, 'prompter', None)
        if prompter is None and any(given.visual or given.reference for given in objects.given()):
            raise ValueError('data samples carry prompts but the panoptic_head has no prompter: set '
                             "panoptic_head.prompter=dict(type='VisualPrompter') in the config")
        visual = [index for index, has_pixels in enumerate(objects.has_pixels)
                  if has_pixels and (wanted is None or wanted[index])]
        templates, images = [None] * len(objects.kinds), objects.images.tolist()
        with torch.no_grad(), eval_mode(self.backbone, *([self.neck] if self.with_neck else [])):
            for start in range(0, len(visual), self.template_chunk):
                indices = visual[start:start + self.template_chunk]
                part = objects.pick(indices)
                crops = prompter.crop([batch_inputs[images[index]] for index in indices], part.masks, part.kinds)
                for index, *maps in zip(indices, *self.extract_feat(crops)):
                    templates[index] = maps
        return objects._replace(templates=templates)

    def _head_inputs(self, batch_inputs: Tensor, batch_data_samples: SampleList, rollout: bool = False) -> tuple:
        """Features, samples and, if there are prompts, prompted objects with their templates."""
        objects, feats = gather_prompts(batch_data_samples), self.extract_feat(batch_inputs)
        if objects is None:
            return feats, batch_data_samples
        if rollout and self.rollout is not None:
            objects = self.rollout(self, batch_inputs, feats, batch_data_samples, objects)
        return feats, batch_data_samples, self.extract_templates(batch_inputs, objects)

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Losses of a batch, see ``GLEEHead.loss``."""
        return self.panoptic_head.loss(*self._head_inputs(batch_inputs, batch_data_samples, rollout=True))

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True,
                max_per_img: int | None = None) -> SampleList:
        """``pred_instances`` of a batch; one per prompted object, in order, where a sample has ``prompts``.

        A sample without ``text`` is searched for the classes of ``dataset_meta``, which mmdet's inferencers leave at
        the detector.

        Args:
            batch_inputs (Tensor): (B, 3, H, W) normalised.
            batch_data_samples (SampleList): B samples.
            rescale (bool): to the original size; else to that of the resized image.
            max_per_img (int | None): detections of an image with a vocabulary; None takes the head's.

        Raises:
            KeyError: a sample has no ``text`` and the detector no classes.
        """
        for sample in batch_data_samples:
            self._find_text(sample)
        selected = self.panoptic_head.predict(*self._head_inputs(batch_inputs, batch_data_samples),
                                              max_per_img=max_per_img)
        results = self.panoptic_fusion_head.predict(*selected, batch_data_samples, rescale=rescale)
        return self.add_pred_to_datasample(batch_data_samples, results)

    def answering(self, kind: str) -> 'GLEE':
        """The detector that answers to 'expression' or 'prompt': this one (``FineTunedGLEE`` has two)."""
        return self

    def share_names(self, names: Sequence[str]) -> list[tuple['GLEE', list[int]]]:
        """The detectors that know some of ``names``, each with their positions: this one knows all."""
        return [(self, list(range(len(names))))]

    def _find_text(self, sample: DetDataSample) -> None:
        """Give a sample without ``text`` the names that the detector's checkpoint was trained with."""
        if 'text' in sample:
            return
        classes = (getattr(self, 'dataset_meta', None) or {}).get('classes')
        if not classes:
            raise KeyError(f'{sample_origin(sample)}: the sample has no `text` and the model no dataset_meta with '
                           "classes: give names (texts='star . ring', text_prompt= or `text` of the sample)")
        sample.set_metainfo(dict(text=as_names(classes)))

    def _forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """``mode='tensor'``, one entry per prompted object where samples have ``prompts``."""
        return self.panoptic_head(*self._head_inputs(batch_inputs, batch_data_samples))

    def add_pred_to_datasample(self, data_samples: SampleList, results_list: list[dict]) -> SampleList:
        """As the base class, and ``pred_sem_seg`` where there is a semantic map."""
        for sample, results in zip(data_samples, results_list):
            if 'sem_results' in results:
                sample.pred_sem_seg = results.pop('sem_results')
        return super().add_pred_to_datasample(data_samples, results_list)

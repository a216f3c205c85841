"""Pictures to a padded, normalised batch; names to the vocabulary of the batch; batches with prompts."""
import logging
from typing import List, Optional, Sequence

import torch
import torch.nn.functional as F
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import DetDataSample
from mmengine.logging import print_log


@MODELS.register_module()
class GLEEDataPreprocessor(DetDataPreprocessor):
    """mmdet's preprocessor plus the vocabulary drawn for each training batch.

    Pictures are normalised (RGB), padded with zeros after that to multiples of 32 and stacked, and
    in training the masks are padded to the same size, all by the base class.

    In training a category batch with more than ``vocabulary_size`` names keeps the names of its
    objects and random others up to that size, in ascending order of their class index (so the
    position says nothing about which are present), and ``labels`` follow; all samples of the batch
    then share this ``text``. With more positive names than that, a random ``vocabulary_size`` of
    them stay and the objects of the others leave the targets (DESIGN section 5, "Vocabulary").
    Samples of one source whose texts differ (phrases, with names to tell them from) first get the
    shuffled union of the texts, in which equal phrases are one name.
    Expression batches and test batches keep their text. Random numbers come from torch's CPU
    generator.

    ``prompts`` of a sample are padded like its masks, also at test. In training a batch may become a
    prompt batch, which is decided before and done after the vocabulary is drawn.

    Args:
        vocabulary_size (int): most names of a training batch, unless its samples bring a
            ``vocabulary_size`` of their own.
        channels_last (bool): memory layout of ``inputs``; convolutions on a CPU are faster with it.
        prompt_simulator (dict | None): config of what makes prompt batches of sources with a ``prompt_prob``.
        mean, std, bgr_to_rgb, pad_size_divisor, pad_mask: as in the base class, with the values of
            all GLEE models as defaults.
        **kwargs: the base class's other arguments.

    Attributes:
        dropped_objects (int): objects that left the targets so far.

    Raises:
        KeyError: a sample without ``text`` or ``text_mode``.
        ValueError: empty text, a label outside the text, or a category batch of several sources
            with different texts; source, image and label are named.
    """

    def __init__(self, mean: Sequence[float] = (123.675, 116.28, 103.53),
                 std: Sequence[float] = (58.395, 57.12, 57.375), bgr_to_rgb: bool = True,
                 pad_size_divisor: int = 32, pad_mask: bool = True, vocabulary_size: int = 100,
                 channels_last: bool = False,
                 prompt_simulator: Optional[dict] = dict(type='PromptSimulator'), **kwargs) -> None:
        super().__init__(mean=mean, std=std, bgr_to_rgb=bgr_to_rgb, pad_mask=pad_mask,
                         pad_size_divisor=pad_size_divisor, **kwargs)
        self.vocabulary_size = vocabulary_size
        self.channels_last = channels_last
        self.prompt_simulator = prompt_simulator and TASK_UTILS.build(prompt_simulator)
        self.dropped_objects = 0

    def forward(self, data: dict, training: bool = False) -> dict:
        """Batch of the loader to ``inputs`` (B, 3, H, W) float and ``data_samples``."""
        data = super().forward(data, training)
        if self.channels_last:
            data['inputs'] = data['inputs'].contiguous(memory_format=torch.channels_last)
        samples = data['data_samples']
        if samples is not None:
            for sample in samples:
                check_text(sample)
            if training:
                for sample in samples:
                    check_labels(sample)
                prompted = self.prompt_simulator is not None and self.prompt_simulator.wants(samples)
                self.draw_vocabulary(samples)
                if prompted and self.prompt_simulator.can(samples):
                    self.prompt_simulator(samples)
            pad_prompts(samples)
        return data

    def draw_vocabulary(self, samples: List[DetDataSample]) -> None:
        """Reduce the text of a category batch to ``vocabulary_size`` names, in place."""
        if all(sample.text_mode == 'expression' for sample in samples):
            return
        self._share_text(samples)
        text, size = samples[0].text, samples[0].get('vocabulary_size', self.vocabulary_size)
        if len(text) <= size:
            return
        labels = torch.cat([s.gt_instances.labels for s in samples]).cpu()
        kept = self._choose(len(text), labels, size)
        new_label = torch.full((len(text), ), -1)
        new_label[kept] = torch.arange(len(kept))
        vocabulary = tuple(text[i] for i in kept.tolist())
        for sample in samples:
            self._relabel(sample, vocabulary, new_label)

    def _share_text(self, samples: List[DetDataSample]) -> None:
        """Give samples with different texts their shuffled union."""
        text = samples[0].text
        if all(sample.text == text and sample.text_mode == 'category' for sample in samples):
            return
        for sample in samples:
            if (sample.text_mode != 'category' or sample.get('source') is None
                    or sample.source != samples[0].source):
                raise ValueError(
                    'the samples of a category batch must share one text, but those of sources '
                    f'{samples[0].get("source")!r} and {sample.get("source")!r} differ; use '
                    'MixtureBatchSampler')
        names = list(dict.fromkeys(name for sample in samples for name in sample.text))
        union = tuple(names[i] for i in torch.randperm(len(names)).tolist())
        position = {name: i for i, name in enumerate(union)}
        for sample in samples:
            new_label = torch.tensor([position[name] for name in sample.text])
            self._relabel(sample, union, new_label)

    @staticmethod
    def _choose(num_names: int, labels: torch.Tensor, size: int) -> torch.Tensor:
        """Ascending class indices of the batch vocabulary."""
        positive = torch.zeros(num_names, dtype=torch.bool)
        positive[labels] = True
        shuffled = torch.randperm(num_names)
        # positives first, both parts in random order
        order = torch.cat([shuffled[positive[shuffled]], shuffled[~positive[shuffled]]])
        return order[:size].sort().values

    def _relabel(self, sample: DetDataSample, vocabulary: tuple, new_label: torch.Tensor) -> None:
        instances = sample.gt_instances
        labels = new_label.to(instances.labels.device)[instances.labels]
        if (labels < 0).any():
            dropped = int((labels < 0).sum())
            if self.dropped_objects == 0:
                print_log(
                    f'a batch of source {sample.get("source")!r} has more than '
                    f'{self.vocabulary_size} positive names; {dropped} objects of an image leave '
                    'its targets (told once, counted in `dropped_objects`)',
                    logger='current', level=logging.WARNING)
            self.dropped_objects += dropped
            instances = instances[labels >= 0]
            labels = labels[labels >= 0]
        instances.labels = labels
        sample.gt_instances = instances
        sample.set_metainfo(dict(text=vocabulary))


def pad_prompts(samples: List[DetDataSample]) -> None:
    """Pad the prompt masks (P, H, W) of every sample that has some to ``batch_input_shape``, in place."""
    for sample in samples:
        for name in ('masks', 'neg_masks') if 'prompts' in sample else ():
            mask = sample.prompts.get(name)
            if mask is None or tuple(mask.shape[-2:]) == tuple(sample.batch_input_shape):
                continue
            if tuple(mask.shape[-2:]) != tuple(sample.img_shape[:2]):
                raise ValueError(f'{_where(sample)}: prompts.{name} are {tuple(mask.shape[-2:])} px but the resized '
                                 f'image {tuple(sample.img_shape[:2])}')
            (height, width), (out_height, out_width) = mask.shape[-2:], sample.batch_input_shape
            padded = F.pad(mask, (0, out_width - width, 0, out_height - height))
            sample.prompts.set_field(padded, name)


def _where(sample: DetDataSample) -> str:
    return f'source {sample.get("source")!r}, image {sample.get("img_path", sample.get("img_id"))}'


def check_text(sample: DetDataSample) -> None:
    """Raise unless the sample has names to look for."""
    for key in ('text', 'text_mode'):
        if key not in sample:
            raise KeyError(f'{_where(sample)}: the sample has no `{key}`; pack it as meta '
                           'information (PackGLEEInputs) or set it on the data sample')
    if len(sample.text) == 0 or not all(name.strip() for name in sample.text):
        raise ValueError(f'{_where(sample)}: `text` is empty or holds an empty string: '
                         f'{sample.text}')


def check_labels(sample: DetDataSample) -> None:
    """Raise if a label does not index the sample's text."""
    labels = sample.gt_instances.labels
    outside = (labels < 0) | (labels >= len(sample.text))
    if outside.any():
        raise ValueError(f'{_where(sample)}: label {int(labels[outside][0])} is outside the '
                         f'{len(sample.text)} names of `text`')

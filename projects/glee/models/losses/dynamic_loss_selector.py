"""Which losses a batch trains: decided from what its annotations really contain."""
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from mmdet.registry import TASK_UTILS
from mmdet.structures import DetDataSample, TrackDataSample
from torch import Tensor

from ...structures.clips import flatten_clips
from ...structures.sample_origin import sample_origin
from ...structures.sample_text import as_names, read_text_mode

# where a sample has each kind of annotation
SUPERVISION_FIELDS = dict(semantic='labels', box='bboxes', coarse_box='bboxes', mask='masks', track='instances_ids')
SUPERVISION_KINDS = tuple(SUPERVISION_FIELDS)
ENCODER_MODES = ('frozen', 'unfrozen', 'distill')


@dataclass(frozen=True)
class LossSwitch:
    """The terms that are on for one batch (DESIGN section 5, 'Losses').

    The first six are the losses; ``match_boxes`` and ``match_masks`` say whether boxes and masks
    may guide the Hungarian matching, which coarse boxes do although nothing regresses to them.
    """
    semantic: bool = False
    box: bool = False
    mask: bool = False
    confidence: bool = False
    tracking: bool = False
    distillation: bool = False
    match_boxes: bool = False
    match_masks: bool = False


@TASK_UTILS.register_module()
class DynamicLossSelector:
    """Switches the losses of a batch from the annotation kinds its samples declare.

    It reads the metainfo ``supervision`` and ``text_mode``, whether ``prompts`` are present,
    whether the sample is a clip, and the text encoder's mode; never a dataset name
    (paper section 3.3, DESIGN section 5). A sample of a stock mmdet pipeline, without these two
    keys, counts as a category sample supervised by whatever its ``gt_instances`` hold.

    Args:
        disable (Sequence[str]): names of ``LossSwitch`` fields that are forced off, whatever the
            annotations. Switching a loss off leaves the matching alone: name 'match_boxes' or
            'match_masks' too if boxes or masks shall not guide it either.

    Raises:
        ValueError: ``disable`` names no field of ``LossSwitch``.
    """

    def __init__(self, disable: Sequence[str] = ()) -> None:
        terms = [field.name for field in fields(LossSwitch)]
        disable = (disable, ) if isinstance(disable, str) else tuple(disable)
        unknown = sorted(set(disable) - set(terms))
        if unknown:
            raise ValueError(f'disable={disable} of DynamicLossSelector names unknown terms '
                             f'{unknown}; choose from {terms}')
        self.disable = disable

    def __call__(self, data_samples: Sequence[DetDataSample | TrackDataSample],
                 text_encoder_mode: str = 'frozen') -> LossSwitch:
        """Choose the losses of one batch.

        Args:
            data_samples (Sequence[DetDataSample | TrackDataSample]): the batch, at least one.
            text_encoder_mode (str): 'frozen', 'unfrozen' or 'distill'.

        Returns:
            LossSwitch: the terms that are on.

        Raises:
            ValueError: a sample holds an unknown value, no annotation or, on a CPU, a label outside its text (on a
                device see ``labels_outside``), or samples disagree.
        """
        if text_encoder_mode not in ENCODER_MODES:
            raise ValueError(f'text_encoder_mode={text_encoder_mode!r} is unknown; '
                             f'choose from {ENCODER_MODES}')
        facts = self._agreed_facts(data_samples)
        frames = flatten_clips(data_samples)[0]
        if not any(outside.device.type != 'cpu' for outside in _outside(frames)[1]):
            check_labels(frames)
        kinds, prompted = facts['supervision'], facts['prompts']
        switch = dict(
            semantic='semantic' in kinds,
            box='box' in kinds,
            mask='mask' in kinds,
            confidence=prompted,
            # identities are needed, a second frame to compare with, and no prompt that already
            # singles the object out
            tracking='track' in kinds and facts['clip'] and not prompted,
            distillation=facts['text_mode'] == 'category' and text_encoder_mode == 'distill',
            match_boxes='box' in kinds or 'coarse_box' in kinds,
            match_masks='mask' in kinds)
        return LossSwitch(**{**switch, **dict.fromkeys(self.disable, False)})

    def _agreed_facts(self, data_samples: Sequence) -> dict:
        """What all samples of the batch say, frame by frame for clips."""
        if not len(data_samples):
            raise ValueError('DynamicLossSelector got a batch without data samples')
        first = None
        for index, sample in enumerate(data_samples):
            clip = isinstance(sample, TrackDataSample)
            frames = sample.video_data_samples if clip else [sample]
            for frame in frames:
                # the prompt of a clip stands in its first frame
                facts = dict(_facts(frame, index), clip=clip, prompts='prompts' in frames[0])
                first = first or facts
                _check_same(first, facts, index)
        return first


def check_labels(samples: Sequence[DetDataSample]) -> None:
    """Raise ValueError unless the labels of every sample that has a text index it."""
    sample, wrong = next(((sample, wrong) for sample, wrong in zip(*_outside(samples)) if wrong.any()), (None, None))
    if sample is not None:
        raise ValueError(f'{sample_origin(sample)}: label {int(sample.gt_instances.labels[wrong][0])} is outside the '
                         f'{len(as_names(sample.text))} names of `text`')


def labels_outside(samples: Sequence[DetDataSample]) -> Tensor | None:
    """Whether ``check_labels`` would raise for labels on a device: a value () on the CPU, which is right as soon as the
    program has waited for the device. None where the labels are on the CPU, or there are none.

    An index out of range would otherwise stop a GPU with a device assertion that names nothing.
    """
    outside = _outside(samples)[1]
    if not sum(map(len, outside)) or outside[0].device.type == 'cpu':
        return None
    return torch.cat(outside).any().to('cpu', non_blocking=True)


def _outside(samples: Sequence[DetDataSample]) -> tuple[list[DetDataSample], list[Tensor]]:
    """Samples that have a text and labels, and whether each label does not index it (N,)."""
    samples = [sample for sample in samples if 'text' in sample and 'labels' in sample.get('gt_instances', ())]
    return samples, [(sample.gt_instances.labels < 0) | (sample.gt_instances.labels >= len(as_names(sample.text)))
                     for sample in samples]


def _facts(sample: DetDataSample, index: int) -> dict:
    """The declarations of one frame, checked."""
    declared = sample.get('supervision')
    kinds = _annotated_kinds(sample, index) if declared is None else frozenset(declared)
    if isinstance(declared, str) or not kinds <= set(SUPERVISION_KINDS):
        raise ValueError(f'data sample {index} has supervision={declared!r}: it must be a tuple '
                         f'of {SUPERVISION_KINDS}')
    lacking = [kind for kind in SUPERVISION_KINDS if kind in kinds and 'gt_instances' in sample
               and SUPERVISION_FIELDS[kind] not in sample.gt_instances]
    if lacking:
        raise ValueError(f'{sample_origin(sample)}: its supervision says {lacking} but its objects have no '
                         f'{[SUPERVISION_FIELDS[kind] for kind in lacking]}: load them, or leave that out of '
                         'SetSource(supervision=...)')
    return dict(supervision=kinds, text_mode=read_text_mode(sample))


def _annotated_kinds(sample: DetDataSample, index: int) -> frozenset[str]:
    """What is annotated, for samples of stock pipelines that do not declare it."""
    if 'gt_instances' not in sample:
        raise ValueError(f"data sample {index} has neither metainfo 'supervision' nor "
                         f"gt_instances: nothing says which losses to train")
    return frozenset(kind for kind, field in SUPERVISION_FIELDS.items()
                     if kind != 'coarse_box' and field in sample.gt_instances)


def _check_same(first: dict, facts: dict, index: int) -> None:
    """Raise when a sample disagrees with the first one of its batch."""
    for key, value in facts.items():
        if value != first[key]:
            shown = [sorted(v) if isinstance(v, frozenset) else v for v in (first[key], value)]
            raise ValueError(
                f'data samples of one batch disagree on {key!r}: sample 0 has {shown[0]}, sample '
                f'{index} has {shown[1]}; batches must come from one source each')

"""The vocabulary of a training batch (DESIGN section 5, 'Vocabulary')."""
import logging
from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.logging import print_log
from torch import Tensor, nn

from ...structures.clips import flatten_clips
from ...structures.sample_text import read_text_mode


@MODELS.register_module()
class BatchVocabulary(nn.Module):
    """Batch augment that draws the names of a category batch; ``text`` and ``labels`` follow, in place.

    With more than ``size`` names, those of the batch's objects stay and random others up to that size, in ascending
    order of their class index, so that the position says nothing about which are present; all samples then share this
    ``text``. With more positive names than that, a random ``size`` of them stay and the objects of the others leave
    the targets. Samples of one source whose texts differ (phrases) first get the shuffled union of the texts, in which
    equal phrases are one name. Expression batches keep their text. Random numbers come from torch's CPU generator.

    Args:
        size (int): most names, unless the samples bring a ``vocabulary_size`` of their own.
        part_prob (float): probability that a batch asks for a random part of its names alone, one at least; the
            objects of the others leave the targets. For few names, which otherwise are always asked for together
            (ours, off by default).

    Attributes:
        dropped_objects (int): objects that left the targets so far.
    """

    def __init__(self, size: int = 100, part_prob: float = 0.) -> None:
        super().__init__()
        self.size = size
        self.part_prob = part_prob
        self.dropped_objects = 0

    def forward(self, inputs: Tensor,
                data_samples: Sequence[DetDataSample | TrackDataSample]) -> tuple[Tensor, Sequence]:
        """The batch with its vocabulary; images or clips.

        Raises:
            ValueError: a category batch of several sources whose texts differ.
        """
        samples, _ = flatten_clips(data_samples)
        if any(read_text_mode(sample) != 'expression' for sample in samples):
            self._share_text(samples)
            self._draw(samples)
        return inputs, data_samples

    def _share_text(self, samples: Sequence[DetDataSample]) -> None:
        """Give samples with different texts their shuffled union."""
        text = samples[0].text
        if all(sample.text == text and read_text_mode(sample) == 'category' for sample in samples):
            return
        for sample in samples:
            if read_text_mode(sample) != 'category' or _source(sample) is None or (
                    _source(sample) != _source(samples[0])):
                raise ValueError('the samples of a category batch must share one text, but those of sources '
                                 f'{samples[0].get("source")!r} and {sample.get("source")!r} differ; use '
                                 'MixtureBatchSampler')
        names = list(dict.fromkeys(name for sample in samples for name in sample.text))
        union = tuple(names[i] for i in torch.randperm(len(names)).tolist())
        position = {name: i for i, name in enumerate(union)}
        for sample in samples:
            self._relabel(sample, union, torch.tensor([position[name] for name in sample.text]))

    def _draw(self, samples: Sequence[DetDataSample]) -> None:
        """Reduce the shared text to the size of the vocabulary."""
        text, size = samples[0].text, samples[0].get('vocabulary_size', self.size)
        if self.part_prob and len(text) > 1 and torch.rand(()) < self.part_prob:
            count = min(int(torch.randint(1, len(text), ())), size)
            self._keep(samples, torch.randperm(len(text))[:count].sort().values, told=True)
            return
        if len(text) <= size:
            return
        positive = torch.zeros(len(text), dtype=torch.bool)
        positive[torch.cat([sample.gt_instances.labels for sample in samples]).cpu().clamp(0, len(text) - 1)] = True
        shuffled = torch.randperm(len(text))
        # positives first, both parts in random order
        kept = torch.cat([shuffled[positive[shuffled]], shuffled[~positive[shuffled]]])[:size].sort().values
        self._keep(samples, kept)

    def _keep(self, samples: Sequence[DetDataSample], kept: Tensor, told: bool = False) -> None:
        """Reduce the shared text to the names ``kept``, ascending; ``told``: that objects leave is meant."""
        text = samples[0].text
        new_label = torch.full((len(text), ), -1)
        new_label[kept] = torch.arange(len(kept))
        vocabulary = tuple(text[i] for i in kept.tolist())
        for sample in samples:
            self._relabel(sample, vocabulary, new_label, told)

    def _relabel(self, sample: DetDataSample, vocabulary: tuple[str, ...], new_label: Tensor,
                 told: bool = False) -> None:
        """Replace the text of a sample; objects whose new label is -1 leave it.

        A label that indexes no name of the old text indexes none of the new one either, for the loss to find
        (``check_labels``).
        """
        instances = sample.gt_instances
        old = instances.labels
        known = (old >= 0) & (old < len(new_label))
        labels = new_label.to(old.device)[old.clamp(0, len(new_label) - 1)]
        kept = ~known | (labels >= 0)
        labels = torch.where(known, labels, old.where(old < 0, old.clamp(min=len(vocabulary))))
        dropped = int((~kept).sum())
        if dropped:
            if self.dropped_objects == 0 and not told:
                print_log(f'a batch of source {sample.get("source")!r} has more than {len(vocabulary)} positive '
                          f'names; {dropped} objects of an image leave its targets (told once, counted in '
                          '`dropped_objects`)', logger='current', level=logging.WARNING)
            self.dropped_objects += 0 if told else dropped
            instances, labels = instances[kept], labels[kept]
        instances.labels = labels
        sample.gt_instances = instances
        sample.set_metainfo(dict(text=vocabulary))


def _source(sample: DetDataSample) -> str | None:
    """The source that a sample names; captions of stock data sets, which name none, are one."""
    return sample.get('source') or ('captions' if sample.get('tokens_positive') else None)

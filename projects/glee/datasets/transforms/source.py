"""What a sample is: its source, its kind of text and which of its annotations are real."""
from typing import Dict, Optional, Sequence

import torch
from mmcv.transforms import BaseTransform
from mmdet.datasets.transforms import PackDetInputs
from mmdet.registry import TRANSFORMS

from ...prompts.samplers import check_kinds
from ...structures.prompted_objects import ObjectPrompts
from ...structures.sample_text import TEXT_MODES, read_names, read_sample_text
from .lazy_masks import LazyMasks

SUPERVISION = ('semantic', 'box', 'coarse_box', 'mask', 'track')
SOURCE_KEYS = ('text', 'text_mode', 'source', 'supervision', 'label_table')


@TRANSFORMS.register_module()
class SetSource(BaseTransform):
    """Marks every sample with the meta information that GLEE's model code reads (DESIGN section 4).

    It makes stock data sets usable as they are: names come from the data set (``text``), the rest
    from here.

    Args:
        source (str): key of the data set, for sampling, logging and per-source metrics.
        supervision (Sequence[str]): real annotation kinds, out of 'semantic', 'box',
            'coarse_box', 'mask', 'track'.
        text_mode (str): 'category' (a vocabulary shared by the batch) or 'expression' (one query
            per sentence).
        label_table (str, optional): denoising label table; by default the source's own key.
        text (Sequence[str], optional): names to use instead of the data set's; ``bbox_label``
            must index them.
        prompt_prob (float): probability that a training batch of this source points at one object per
            image (``BatchPrompts``); 0.2 for COCO, SA1B, UVO frames and frames of YTVIS and OVIS.
        prompt_kinds (dict[str, float], optional): weights of the kinds of those prompts, where they are not
            the preprocessor's default for images or for clips (UVO videos and pseudo clips, DESIGN section 5).
        vocabulary_size (int, optional): most names of a training batch of this source, where that
            is not the preprocessor's default (200 for Visual Genome, DESIGN section 5).

    Raises:
        ValueError: unknown ``supervision``, ``text_mode`` or kind of prompt.
    """

    def __init__(self, source: str, supervision: Sequence[str] = ('semantic', 'box', 'mask'),
                 text_mode: str = 'category', label_table: Optional[str] = None,
                 text: Optional[Sequence[str]] = None, prompt_prob: float = 0.,
                 vocabulary_size: Optional[int] = None, prompt_kinds: Optional[Dict[str, float]] = None) -> None:
        unknown = set(supervision) - set(SUPERVISION)
        if unknown or isinstance(supervision, str):
            raise ValueError(f'source {source!r}: supervision {supervision!r} must be a sequence '
                             f'out of {SUPERVISION}')
        if text_mode not in TEXT_MODES:
            raise ValueError(f'source {source!r}: text_mode {text_mode!r} is not in {TEXT_MODES}')
        self.info = dict(source=source, supervision=tuple(supervision), text_mode=text_mode,
                         label_table=source if label_table is None else label_table,
                         prompt_prob=prompt_prob)
        if text is not None:
            self.info['text'] = read_names(text, f'source {source!r}: `text`')
        if vocabulary_size is not None:
            self.info['vocabulary_size'] = vocabulary_size
        if prompt_kinds is not None:
            check_kinds(prompt_kinds, f'source {source!r}')
            self.info['prompt_kinds'] = dict(prompt_kinds)

    def transform(self, results: dict) -> dict:
        """Add ``source``, ``supervision``, ``text_mode``, ``label_table`` (and ``text``); to every frame of a clip."""
        for sample in results.get('frames', [results]):
            sample.update(self.info)
        return results


@TRANSFORMS.register_module()
class PackGLEEInputs(PackDetInputs):
    """mmdet's packing with GLEE's meta information, whose absence is an error, and with ``prompts``.

    Args:
        meta_keys (Sequence[str]): keys to pack beside ``text``, ``text_mode``, ``source``,
            ``supervision`` and ``label_table``; ``candidates`` are the boxes of same-name objects
            that :class:`ReferDataset` gives for the blind referring score. Names in ``stuff_text``
            (``CocoPanopticDataset(return_classes=True)``) follow those in ``text``. A picture of a program, not of
            a data set, needs no ``text``: the detector then takes its ``dataset_meta``.

    Raises:
        KeyError: a key is missing because the pipeline lacks :class:`SetSource` or the data set
            gives no ``text``.
        ValueError: ``text`` is empty or holds an empty string.
    """

    def __init__(self, meta_keys: Sequence[str] = (
            'img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip',
            'flip_direction', 'candidates', 'prompt_prob', 'prompt_kinds', 'stuff_text', 'segments_info',
            'vocabulary_size', 'unreadable')) -> None:
        super().__init__(meta_keys=(*meta_keys, *SOURCE_KEYS))

    def transform(self, results: dict) -> dict:
        """Pack to ``inputs`` uint8 (3, H, W) and a ``DetDataSample``."""
        missing = [key for key in SOURCE_KEYS if key not in results]
        if missing == ['text'] and 'sample_idx' not in results:
            return self._pack(results)
        if missing:
            raise KeyError(
                f'sample {results.get("img_path")} lacks {missing}: add SetSource to its pipeline, '
                'and for `text` use a Text*Dataset or return_classes=True')
        where = f'source {results["source"]!r}, image {results.get("img_path")}'
        results['text'] = read_sample_text(results['text'], results.get('tokens_positive'), f'{where}: `text`')
        if results.get('stuff_text'):
            results['stuff_text'] = read_names(results['stuff_text'], f'{where}: `stuff_text`')
        return self._pack(results)

    def _pack(self, results: dict) -> dict:
        if isinstance(results.get('gt_masks'), LazyMasks):
            results['gt_masks'] = results['gt_masks'].to_bitmap()
        packed = super().transform(results)
        if 'prompts' in results:
            prompts = results['prompts']
            masks = torch.from_numpy(prompts['masks'])
            packed['data_samples'].prompts = ObjectPrompts(
                masks=masks, neg_masks=torch.zeros_like(masks), kinds=list(prompts['kinds']),
                object_ids=torch.as_tensor(prompts['object_ids'], dtype=torch.long))
        return packed

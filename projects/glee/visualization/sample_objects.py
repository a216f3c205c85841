"""What a data sample holds, as the renderer draws it."""
from typing import Optional, Sequence

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from .renderer import DrawnObject


def truth_of(sample: DetDataSample, names: Sequence[str]) -> Optional[list[DrawnObject]]:
    """Annotated objects; None where the sample has no annotations.

    Args:
        sample: with ``gt_instances``: ``labels``, ``bboxes`` xyxy px and maybe ``masks`` of any kind.
        names: what labels mean.
    """
    return instances_of(sample.gt_instances, names) if 'gt_instances' in sample else None


def predictions_of(sample: DetDataSample, names: Sequence[str], score_thr: float) -> Optional[list[DrawnObject]]:
    """Predicted objects, the best first; None where nothing was predicted.

    Of a panoptic prediction they are its segments, of a sentence its best object whatever the score.

    Args:
        sample: with ``pred_panoptic_seg``, ``pred_track_instances`` or ``pred_instances``.
        names: what labels mean.
        score_thr: objects below it are left out.
    """
    if 'pred_panoptic_seg' in sample and 'segments_info' in sample.pred_panoptic_seg:
        return segments_of(sample.pred_panoptic_seg, (*names, *(sample.get('stuff_text') or ())))
    for key in ('pred_track_instances', 'pred_instances'):
        if key in sample:
            found = sample.get(key)
            found = found[found.scores.argsort(descending=True, stable=True)]
            kept = found.scores >= score_thr
            if sample.get('text_mode') == 'expression':
                labels = found.labels.tolist()
                kept = torch.tensor([label not in labels[:row] for row, label in enumerate(labels)], dtype=torch.bool)
            return instances_of(found[kept], names)
    return None


def instances_of(found: InstanceData, names: Sequence[str]) -> list[DrawnObject]:
    """Objects with label and score, or identity; a track is coloured by its identity, others by their name."""
    boxes, masks = _array(found.get('bboxes')), _array(found.get('masks'))
    labels = [int(label) for label in found.labels] if 'labels' in found else [0] * len(found)
    ids, scores = found.get('instances_id'), found.get('scores')
    drawn = []
    for row, label in enumerate(labels):
        words = [] if ids is None else [str(int(ids[row]))]
        words += [names[label]] if label < len(names) else [f'label {label}']
        words += [] if scores is None else [f'{float(scores[row]):.2f}']
        mask = None if masks is None else masks[row].astype(bool)
        drawn.append(DrawnObject(None if boxes is None else boxes[row], mask, ' '.join(words),
                                 label if ids is None else int(ids[row])))
    return drawn


def segments_of(panoptic, names: Sequence[str]) -> list[DrawnObject]:
    """The segments of a panoptic map, things before stuff; stuff has no box and its colour by its name."""
    codes = panoptic.sem_seg[0].cpu().numpy()
    infos = sorted(panoptic.segments_info, key=lambda info: not info['is_thing'])
    return [DrawnObject(mask=codes == info['id'], label=names[info['label']], key=number if info['is_thing'] else
                        len(infos) + info['label']) for number, info in enumerate(infos)]


def _array(values) -> Optional[np.ndarray]:
    """Boxes (N, 4) or masks (N, H, W) of whatever mmdet keeps them in."""
    if values is None:
        return None
    values = getattr(values, 'tensor', values)
    if hasattr(values, 'to_ndarray'):
        return values.to_ndarray()
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)

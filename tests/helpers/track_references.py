"""Plain overlaps, assignments and the input of trackeval's programs, for tests of metrics of tracks."""
import itertools
from collections import defaultdict

import numpy as np
from video_cases import SHAPE, decoded

META = dict(classes=('class 0', 'class 1', 'class 2'), category_ids=(3, 7, 9))


def build(metric):
    metric.dataset_meta = META
    return metric


def plain_box_iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = max(w, 0) * max(h, 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union if union > 0 else 0


def plain_mask_iou(a, b):
    a, b = decoded(a), decoded(b)
    return (a & b).sum() / max((a | b).sum(), 1)


def best_pairs(weights):
    """Assignment of the largest sum, by trying all; rows x columns of at most 5."""
    rows, columns = weights.shape
    if not rows or not columns:
        return []
    if rows <= columns:
        options = ([(r, c) for r, c in enumerate(p)] for p in itertools.permutations(range(columns), rows))
    else:
        options = ([(r, c) for c, r in enumerate(p)] for p in itertools.permutations(range(rows), columns))
    return max(options, key=lambda pairs: sum(weights[p] for p in pairs))


def raw_data(video, field, similarity):
    """What trackeval's loaders make of a video.

    Returns:
        tuple: the data, annotated frames, objects. Boxes are rows of 4 numbers, masks of 0 and 1 per pixel.
    """
    width = 4 if field == 'bboxes' else SHAPE[0] * SHAPE[1]

    def rows(tracks, frame):
        shapes = [t.bboxes[frame] if field == 'bboxes' else decoded(t.segmentations[frame]).ravel() for t in tracks]
        return np.array(shapes, float).reshape(-1, width)

    frames = [i for i, frame in enumerate(video.frames) if frame['annotated']]
    truth, tracks = [t for t in video.truth() if not t.ignore], video.tracks
    data = defaultdict(list)
    for i in frames:
        order = [row['instance_id'] for row in video.frames[i]['instances']]
        gt = sorted(((n, t) for n, t in enumerate(truth) if getattr(t, field)[i] is not None),
                    key=lambda pair: order.index(pair[1].instance_id))
        dt = [(n, t) for n, t in enumerate(tracks) if getattr(t, field)[i] is not None]
        crowds = [t for t in video.truth() if t.ignore and getattr(t, field)[i] is not None]
        for name, group in (('gt', gt), ('tracker', dt)):
            data[f'{name}_ids'].append(np.array([n for n, _ in group], int))
            data[f'{name}_classes'].append(np.array([t.label for _, t in group], int))
            data[f'{name}_dets'].append(rows([t for _, t in group], i))
        data['tracker_confidences'].append(np.array([t.score for _, t in dt]))
        data['gt_crowd_ignore_regions'].append(rows(crowds, i))
        data['similarity_scores'].append(np.array(
            [[similarity(getattr(g, field)[i], getattr(d, field)[i]) for _, d in dt] for _, g in gt]).reshape(
                len(gt), len(dt)))
    data.update(num_timesteps=len(frames), seq='video')
    return dict(data), frames, truth

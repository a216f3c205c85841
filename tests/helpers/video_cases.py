"""Random videos with tracks for tests of metrics: exits, empty masks, id switches, false tracks."""
import numpy as np
import pycocotools.mask as mask_utils
from rle import rle

from projects.glee.evaluation.functional import VideoRecord
from projects.glee.structures import Track

SHAPE = (24, 32)


def blob(rng, shape=SHAPE):
    """A rectangle or an ellipse, sometimes ragged, sometimes touching the border."""
    h, w = shape
    y, x = rng.integers(-3, h), rng.integers(-3, w)
    bh, bw = rng.integers(1 + h // 6, h), rng.integers(1 + w // 6, w)
    mask = np.zeros(shape, bool)
    if rng.random() < 0.5:
        mask[max(y, 0):max(y + bh, 0), max(x, 0):max(x + bw, 0)] = True
    else:
        ys, xs = np.ogrid[:h, :w]
        mask = ((ys - y - bh / 2) / bh)**2 + ((xs - x - bw / 2) / bw)**2 < 0.25
    return mask & (rng.random(shape) > 0.05) if rng.random() < 0.3 else mask


def noisy(rng, mask):
    """A mask that resembles ``mask``: shifted, sometimes empty."""
    if rng.random() < 0.1:
        return np.zeros_like(mask)
    shift = tuple(rng.integers(-2, 3, 2)) if rng.random() < 0.5 else (0, 0)
    return np.roll(mask, shift, (0, 1)) ^ (rng.random(mask.shape) < rng.choice([0, 0.005, 0.05]))


def box_of(mask):
    """xyxy of a mask, None if empty."""
    ys, xs = np.nonzero(mask)
    return None if len(xs) == 0 else [float(v) for v in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]


def random_video(seed, num_frames=None, num_classes=3, crowd=0.0, video_id=1, shape=SHAPE, all_annotated=True):
    """A ``VideoRecord`` whose prediction resembles the annotation."""
    rng = np.random.default_rng(seed)
    num_frames = num_frames or int(rng.integers(2, 6))
    frames = [dict(frame_id=i, img_id=1000 * video_id + i, img_path=f'{video_id}/{i:05d}.jpg', ori_shape=list(shape),
                   annotated=all_annotated or rng.random() < 0.6, void=None, instances=[]) for i in range(num_frames)]
    predictions = []
    for number in range(int(rng.integers(0, 4))):
        masks = [blob(rng, shape) if rng.random() < 0.8 else None for _ in range(num_frames)]
        label, ignore = int(rng.integers(num_classes)), bool(rng.random() < crowd)
        for frame, mask in zip(frames, masks):
            if mask is not None:
                frame['instances'].append(dict(instance_id=10 * video_id + number, bbox_label=label,
                                               ignore_flag=int(ignore), mask=rle(mask),
                                               bbox=box_of(mask) or [0., 0., 0., 0.]))
        if rng.random() < 0.8:
            found = label if rng.random() < 0.7 else int(rng.integers(num_classes))
            predictions.append((found, [None if m is None else noisy(rng, m) for m in masks]))
    for _ in range(int(rng.integers(0, 3))):  # tracks of nothing
        predictions.append((int(rng.integers(num_classes)),
                            [blob(rng, shape) if rng.random() < 0.7 else None for _ in range(num_frames)]))
    if len(predictions) >= 2 and rng.random() < 0.5:  # two tracks swap identities
        cut = int(rng.integers(num_frames))
        (la, a), (lb, b) = predictions[:2]
        predictions[:2] = [(la, a[:cut] + b[cut:]), (lb, b[:cut] + a[cut:])]
    order = rng.permutation(len(predictions))
    tracks = []
    for number, position in enumerate(order):
        label, masks = predictions[position]
        present = [m if m is not None and m.any() else None for m in masks]
        tracks.append(Track(number + 1, label, float(rng.choice([rng.random(), 0.5])),
                            [m if m is None else rle(m) for m in present],
                            [None if m is None else box_of(m) for m in present]))
    names = tuple(f'class {i}' for i in range(num_classes))
    return VideoRecord(dict(video_id=video_id, name=f'video/{video_id}'), names, frames, tracks)


def decoded(segmentation, shape=SHAPE):
    """Bool mask of an RLE or None."""
    return np.zeros(shape, bool) if segmentation is None else mask_utils.decode(segmentation).astype(bool)

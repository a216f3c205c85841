"""BDD100K box and segmentation tracks: Scalabel labels and the files converted from them."""
from pathlib import Path

from ...datasets.conversion.bdd import convert_bdd_tracks
from ..world.vocabulary import MINIWORLD_BDD_INST_CLASSES
from .files import write_json
from .polygons import mask_to_polygons


def frame_bdd(video, frame: int) -> str:
    """'{video}/{video}-0000001.jpg'."""
    return f'{video.name}/{video.name}-{frame + 1:07d}.jpg'


def write_bdd_box_track(root: Path, split: str, videos) -> None:
    """Writes bdd100k/labels/box_track_20/{split}/*.json and box_track_{split}_cocofmt_uni.json."""
    folder = root / 'bdd100k/labels/box_track_20'
    _write(folder / split, folder / f'box_track_{split}_cocofmt_uni.json', videos, _box)


def write_bdd_seg_track(root: Path, split: str, videos) -> None:
    """Writes bdd100k/labels/seg_track_20/polygons/{split}/*.json and
    seg_track_20/seg_track_{split}_cocoformat_uni.json."""
    folder = root / 'bdd100k/labels/seg_track_20'
    _write(folder / f'polygons/{split}', folder / f'seg_track_{split}_cocoformat_uni.json', videos, _polygons)


def _write(folder: Path, out: Path, videos, shape) -> None:
    for video in videos:
        frames = [_frame(video, frame, shape) for frame in range(video.length)]
        write_json(folder / f'{video.name}.json', frames)
    convert_bdd_tracks(folder, out, MINIWORLD_BDD_INST_CLASSES, masks=shape is _polygons)


def _frame(video, frame: int, shape) -> dict:
    labels = []
    for track in video.tracks:
        glimpse = track.glimpses[frame]
        if glimpse is not None:
            labels.append({'id': f'{track.ann_id:08d}', 'category': track.obj.shape,
                           'attributes': {'occluded': track.hidden[frame] > 0.05, 'truncated': False, 'crowd': False},
                           **shape(glimpse)})
    return {'name': Path(frame_bdd(video, frame)).name, 'videoName': video.name, 'frameIndex': frame,
            'size': {'width': video.width, 'height': video.height}, 'labels': labels}


def _box(glimpse) -> dict:
    """Corners are pixels inside of the box."""
    x, y, width, height = glimpse.bbox
    return {'box2d': {'x1': x, 'y1': y, 'x2': x + width - 1, 'y2': y + height - 1}}


def _polygons(glimpse) -> dict:
    rings = []
    for ring in mask_to_polygons(glimpse.mask):
        vertices = [list(pair) for pair in zip(ring[::2], ring[1::2])]
        rings.append({'vertices': vertices, 'types': 'L' * len(vertices), 'closed': True})
    return {'poly2d': rings}

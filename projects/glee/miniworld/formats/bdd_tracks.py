"""BDD100K box and segmentation tracks: Scalabel labels, and YouTube-VIS like files of the same tracks."""
from pathlib import Path

from ..world.vocabulary import MINIWORLD_BDD_INST_CLASSES
from .bdd import bdd_categories, bdd_ids, box_of_rings
from .files import numbered, write_json
from .masks import mask_to_polygons, mask_to_rle, polygons_to_mask


def frame_bdd(video, frame: int) -> str:
    """'{video}/{video}-0000001.jpg'."""
    return f'{video.name}/{video.name}-{frame + 1:07d}.jpg'


def write_bdd_box_track(root: Path, split: str, videos) -> None:
    """Writes bdd100k/labels/box_track_20/{split}/*.json and box_track_{split}_cocofmt_uni.json."""
    folder = root / 'bdd100k/labels/box_track_20'
    _write_labels(folder / split, videos, _box)
    write_json(folder / f'box_track_{split}_cocofmt_uni.json', _tracks(videos, _track_boxes))


def write_bdd_seg_track(root: Path, split: str, videos) -> None:
    """Writes bdd100k/labels/seg_track_20/polygons/{split}/*.json and
    seg_track_20/seg_track_{split}_cocoformat_uni.json."""
    folder = root / 'bdd100k/labels/seg_track_20'
    _write_labels(folder / f'polygons/{split}', videos, _polygons)
    write_json(folder / f'seg_track_{split}_cocoformat_uni.json', _tracks(videos, _track_masks))


def _write_labels(folder: Path, videos, shape) -> None:
    for video in videos:
        frames = [_frame(video, frame, shape) for frame in range(video.length)]
        write_json(folder / f'{video.name}.json', frames)


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


def _tracks(videos, shapes) -> dict:
    """One annotation per track, in the order in which they come into sight; videos by name.

    `shapes` gives the lists over the frames of an annotation.
    """
    ids = bdd_ids(MINIWORLD_BDD_INST_CLASSES)
    entries = []
    for video in sorted(videos, key=lambda video: video.name):
        size = {'width': video.width, 'height': video.height, 'length': video.length}
        tracks = sorted((track for track in video.tracks if any(track.glimpses) and track.obj.shape in ids),
                        key=lambda track: track.first)
        names = [frame_bdd(video, frame) for frame in range(video.length)]
        entries.append(({'file_names': names, **size},
                        [{'category_id': ids[track.obj.shape], 'iscrowd': 0, **size, **shapes(video, track)}
                         for track in tracks]))
    return numbered(bdd_categories(MINIWORLD_BDD_INST_CLASSES), entries, 'video')


def _track_boxes(video, track) -> dict:
    return {'bboxes': [glimpse and list(glimpse.bbox) for glimpse in track.glimpses],
            'areas': [glimpse and glimpse.bbox[2] * glimpse.bbox[3] for glimpse in track.glimpses]}


def _track_masks(video, track) -> dict:
    """Boxes of the polygons' corners; areas and masks of the filled polygons."""
    rings = [glimpse and mask_to_polygons(glimpse.mask) for glimpse in track.glimpses]
    masks = [shape and polygons_to_mask(shape, video.height, video.width) for shape in rings]
    return {'bboxes': [shape and box_of_rings(shape) for shape in rings],
            'areas': [None if mask is None else int(mask.sum()) for mask in masks],
            'segmentations': [None if mask is None else mask_to_rle(mask) for mask in masks]}

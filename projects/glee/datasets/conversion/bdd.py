"""BDD100K labels (the Scalabel format) as COCO and as YouTube-VIS like files."""
from pathlib import Path

import numpy as np

from ...structures.masks import area, bounding_box, to_rle, usable_mask
from ...structures.row_values import BrokenRow, corners, flag, image_size, integer, number, string
from ..store.json_file import is_id
from .shards import ConversionError, Shard, Skipped, chunks, convert_shards, load_json

DETECTION = ('pedestrian', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle', 'bicycle', 'traffic light',
             'traffic sign')
SEGMENTATION = DETECTION[:8]
ALIASES = {'person': 'pedestrian', 'bike': 'bicycle', 'motor': 'motorcycle', 'caravan': 'car', 'van': 'car'}
# Regions that belong to a category but do not count: crowd regions here.
IGNORED = {'other person': 'pedestrian', 'other vehicle': 'car', 'trailer': 'truck'}
IMAGE_SIZE = dict(width=1280, height=720)  # where a file does not say
FRAMES_PER_SHARD = 5000
BEZIER_STEPS = 8


def convert_bdd_images(labels, out, categories: tuple = DETECTION, masks: bool = False, progress=None) -> dict:
    """Writes a COCO file from labels of single images (det_20, ins_seg/polygons).

    Args:
        labels (str | Path): a file of frames, or a folder of such files.
        out (str | Path): file to write.
        categories (tuple[str]): ids from 1 in this order; other categories are left out.
        masks (bool): take `poly2d` (polygons/) or `rle` (rles/), and boxes from them, instead of `box2d`.
        progress (Callable): see `convert_shards`.

    Returns:
        dict: reason -> number of labels left out.

    Raises:
        ConversionError: a file is missing or holds no frames.
    """
    reader = _LabelReader(categories, masks)

    def convert(frames: list) -> Shard:
        shard = Shard()
        reader.skipped = shard.skipped
        for frame, size, where in _usable(frames, shard.skipped):
            entries = [reader.read(label, size, f'{where}, label {position}')
                       for position, label in enumerate(frame['labels'])]
            shard.add({'file_name': frame['name'], 'width': size[0], 'height': size[1]},
                      [entry for entry in entries if entry is not None])
        return shard

    frames = (pair for path in _files(labels) for pair in _frames(path))
    return convert_shards(out, chunks(frames, FRAMES_PER_SHARD), convert, {'categories': _category_list(categories)},
                          arguments={'labels': str(labels), 'categories': list(categories), 'masks': masks},
                          progress=progress)


def convert_bdd_tracks(labels, out, categories: tuple = SEGMENTATION, masks: bool = False, progress=None) -> dict:
    """Writes a YouTube-VIS like file from labels of videos (box_track_20, seg_track_20/polygons or rles).

    A track that is a crowd region in any frame is a crowd region; its category is that of its
    first label. `segmentations` are RLE, or absent without masks. `file_names` are
    '{video}/{frame}'.

    Args:
        labels (str | Path): folder with one file of frames per video, or a file of all of them.
        out, categories, masks, progress: see `convert_bdd_images`.

    Returns:
        dict: reason -> number of labels left out.
    """
    reader = _LabelReader(categories, masks)

    def convert(path: Path) -> Shard:
        shard = Shard()
        reader.skipped = shard.skipped
        videos = {}
        for frame, size, where in _usable(_frames(path), shard.skipped):
            videos.setdefault(frame['videoName'] or path.stem, []).append((frame, size, where))
        for name, frames in videos.items():
            frames.sort(key=lambda row: row[0]['frameIndex'])
            width, height = frames[0][1]
            shard.add({'file_names': [f'{name}/{frame["name"]}' for frame, *_ in frames], 'width': width,
                       'height': height, 'length': len(frames)}, _tracks(frames, reader, masks))
        return shard

    paths = _files(labels)
    return convert_shards(out, paths, convert, {'categories': _category_list(categories)}, item='video',
                          arguments={'labels': str(labels), 'categories': list(categories), 'masks': masks},
                          progress=progress, total=len(paths))


def _tracks(frames: list, reader, masks: bool) -> list:
    """One annotation per identity of a video."""
    width, height = frames[0][1]
    keys = ('bboxes', 'areas', 'segmentations') if masks else ('bboxes', 'areas')
    tracks = {}
    for index, (frame, size, where) in enumerate(frames):
        for position, label in enumerate(frame['labels']):
            entry = reader.read(label, size, f'{where}, label {position}')
            if entry is None:
                continue
            if not is_id(label.get('id')):
                reader.skipped.add('label without an id', f'{where}, label {position}')
                continue
            if label['id'] in tracks and tracks[label['id']]['bboxes'][index] is not None:
                reader.skipped.add('label whose id is there twice in its frame', f'{where}, label {position}')
                continue
            if label['id'] not in tracks:
                tracks[label['id']] = {'category_id': entry['category_id'], 'iscrowd': 0, 'width': width,
                                       'height': height, 'length': len(frames),
                                       **{key: [None] * len(frames) for key in keys}}
            track = tracks[label['id']]
            track['iscrowd'] |= entry['iscrowd']
            track['bboxes'][index], track['areas'][index] = entry['bbox'], entry['area']
            if masks:
                track['segmentations'][index] = to_rle(entry['segmentation'], *size[::-1])
    return list(tracks.values())


class _LabelReader:
    """Reads one label; reasons to leave labels out are counted in `skipped`."""

    def __init__(self, categories: tuple, masks: bool):
        self.ids = {name: index for index, name in enumerate(categories, 1)}
        self.masks = masks
        self.skipped = Skipped()

    def read(self, label: dict, size: tuple, where: str):
        """The annotation of a label in an image of this size (width, height); None if it is left out."""
        try:
            return self._read(label, size)
        except BrokenRow as problem:
            self.skipped.add(str(problem), where)
            return None

    def _read(self, label: dict, size: tuple):
        if not isinstance(label, dict) or not isinstance(label.get('category'), str):
            raise BrokenRow('label without a category')
        name = ALIASES.get(label['category'], label['category'])
        crowd = name in IGNORED and name not in self.ids
        name = IGNORED[name] if crowd else name
        if name not in self.ids:
            raise BrokenRow(f'category {name!r}')
        attributes = label.get('attributes') if isinstance(label.get('attributes'), dict) else {}
        crowd = crowd or any(flag(value, 'crowd') for key, value in attributes.items() if key.lower() == 'crowd')
        shape = self._mask(label, size) if self.masks else self._box(label, size)
        return shape and {'category_id': self.ids[name], 'iscrowd': int(crowd), **shape}

    def _box(self, label: dict, size: tuple):
        if not isinstance(label.get('box2d'), dict):
            raise BrokenRow('label without box2d')
        left, top, right, bottom = (number(label['box2d'].get(key), 'box2d') for key in ('x1', 'y1', 'x2', 'y2'))
        # Scalabel's corners are pixels inside of the box.
        width, height = right - left + 1, bottom - top + 1
        if not (width > 0 and height > 0):
            raise BrokenRow('box without area')
        corners((left, top, width, height), *size, usable=False)
        return {'bbox': [round(value, 2) for value in (left, top, width, height)], 'area': round(width * height, 2)}

    def _mask(self, label: dict, size: tuple):
        parts = label.get('poly2d')
        if parts is None and label.get('rle') is not None:
            mask = usable_mask(label['rle'], size[1], size[0])
            return {'segmentation': mask, 'bbox': bounding_box(mask), 'area': area(mask)}
        rings = [_ring(part) for part in parts] if isinstance(parts, list) else []
        rings = [ring for ring in rings if len(ring) > 2]
        pixels = rings and area(to_rle([ring.ravel().tolist() for ring in rings], size[1], size[0]))
        if not pixels:
            raise BrokenRow('mask without area')
        low, high = (np.concatenate(rings).min(0), np.concatenate(rings).max(0))
        return {'segmentation': [[round(value, 2) for value in ring.ravel().tolist()] for ring in rings],
                'bbox': [round(float(value), 2) for value in (*low, *(high - low))], 'area': pixels}


def _ring(part: dict) -> np.ndarray:
    """The corners (M, 2) of one part of `poly2d`."""
    vertices = part.get('vertices') if isinstance(part, dict) else None
    if not isinstance(vertices, list) or any(not isinstance(v, list) or len(v) != 2 for v in vertices):
        raise BrokenRow('poly2d without pairs of numbers')
    types = part.get('types')
    if types is not None and (not isinstance(types, str) or len(types) != len(vertices)):
        raise BrokenRow('poly2d with another number of types than of vertices')
    return flatten_ring([[number(value, 'poly2d') for value in vertex] for vertex in vertices], types)


def flatten_ring(vertices: list, types: str = None) -> np.ndarray:
    """The corners of a closed ring of lines and cubic curves.

    Args:
        vertices (list): N pairs x, y in px.
        types (str): N letters: 'L' a line to this vertex; three 'C' in a row are two control
            points and the end of a curve from the vertex before. None is all lines.

    Returns:
        np.ndarray: float (M, 2).
    """
    points = np.array(vertices, float).reshape(-1, 2)
    types = types or 'L' * len(points)
    corners, index = [], 0
    while index < len(points):
        if types[index] == 'C' and corners:
            control = [corners[-1]] + [points[k % len(points)] for k in range(index, index + 3)]
            for t in np.arange(1, BEZIER_STEPS + 1) / BEZIER_STEPS:
                weights = (1 - t)**3, 3 * t * (1 - t)**2, 3 * t**2 * (1 - t), t**3
                corners.append(sum(weight * point for weight, point in zip(weights, control)))
            index += 3
        else:
            corners.append(points[index])
            index += 1
    return np.array(corners).reshape(-1, 2)


def _files(labels) -> list:
    labels = Path(labels)
    paths = sorted(labels.glob('*.json')) if labels.is_dir() else [labels]
    if not paths:
        raise ConversionError(f'labels={labels} holds no .json files')
    return paths


def _usable(frames, skipped: Skipped):
    """Yields (frame, (width, height), where it is) of the rows that are frames."""
    for frame, size, where in frames:
        try:
            if not isinstance(frame, dict):
                raise BrokenRow('frame that is no object')
            labels = [] if frame.get('labels') is None else frame['labels']
            if not isinstance(labels, list):
                raise BrokenRow('labels that are no list')
            if not isinstance(size, dict):
                raise BrokenRow('image without width and height')
            video = frame.get('videoName')
            yield dict(frame, name=string(frame.get('name'), 'frame name'), labels=labels,
                       videoName=None if video in (None, '') else string(video, 'videoName'),
                       frameIndex=integer(frame.get('frameIndex') or 0, 'frameIndex')), image_size(size), where
        except BrokenRow as problem:
            skipped.add(str(problem), where)


def _frames(path: Path):
    """Yields (frame, its size as the file has it, where it is)."""
    content = load_json(path)
    content = dict(frames=content) if isinstance(content, list) else content if isinstance(content, dict) else {}
    config, frames = content.get('config'), content.get('frames')
    size = config.get('imageSize') if isinstance(config, dict) else None
    if not isinstance(frames, list):
        raise ConversionError(f'{path} holds no list of frames')
    for position, frame in enumerate(frames):
        own = frame.get('size') if isinstance(frame, dict) else None
        own = size if own is None else own
        yield frame, IMAGE_SIZE if own is None else own, f'{path}: row {position} of `frames`'


def _category_list(categories: tuple) -> list:
    return [{'id': index, 'name': name} for index, name in enumerate(categories, 1)]

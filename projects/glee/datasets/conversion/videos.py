"""Videos as independent images: YouTube-VIS like files become COCO files."""
from pathlib import Path

from ...structures.row_values import BrokenRow, flag, image_size, number
from ..store.box_layout import BoxLayout
from ..store.broken_rows import BrokenRows
from ..store.json_file import label_of, read_categories
from ..store.rows import Row, group_rows, own_ids, read_owners, read_rows
from ..video.track_rows import annotated_frames, read_track
from .shards import Shard, chunks, convert_shards, load_json

VIDEOS_PER_SHARD = 200


def convert_videos(videos_json, out, progress=None) -> dict:
    """Writes a COCO file with an image per frame.

    An annotation keeps the id of its track as `instance_id` (its number in the file, from 1, where ids are missing or
    the same), an image has `video_id` and `frame_id` (from 0).
    Tracks are read by `read_track`, as for training. Polygons stay polygons, every RLE is written in its
    compressed form; where there are none, boxes only.

    Args:
        videos_json (str | Path): videos[].file_names, annotations[].bboxes, .areas and
            .segmentations per frame, null where the object is absent.
        out (str | Path): file to write.
        progress (Callable): see `convert_shards`.

    Returns:
        dict: reason -> number of annotations or videos left out.

    Raises:
        ValueError: the file has no `videos`, `annotations` or `categories`, or nobody knows which row an id means.
    """
    content, broken, layout = load_json(videos_json, 'videos', 'annotations', 'categories'), BrokenRows(), BoxLayout()
    by_id, categories = read_owners(content, 'videos', videos_json, broken), read_categories(
        content['categories'], videos_json)
    rows = read_rows(content, 'annotations', videos_json, broken)
    numbers = dict(zip((row.number for row in rows), own_ids(rows, broken)))
    tracks = group_rows(rows, by_id, 'video_id', broken)
    known = {category['id']: category['id'] for category in categories}

    def convert(videos: list) -> Shard:
        shard = Shard()
        for video in videos:
            try:
                _convert_video(video, [(numbers[track.number], track) for track in tracks[video['id']]], known, shard,
                               layout)
            except BrokenRow as problem:
                shard.skipped.add(str(problem), video.where)
        shard.skipped.name_file(videos_json)
        return shard

    skipped = convert_shards(out, chunks(by_id.values(), VIDEOS_PER_SHARD), convert, {'categories': categories},
                             arguments={'videos': str(Path(videos_json)), 'count': len(by_id)},
                             progress=progress, total=-(-len(by_id) // VIDEOS_PER_SHARD))
    layout.judge(broken)
    skipped.take(broken, videos_json)
    return skipped


def _convert_video(video: Row, tracks: list, known: dict, shard: Shard, layout: BoxLayout) -> None:
    width, height = image_size(video)
    names = video.get('file_names')
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise BrokenRow('video without file_names')
    entries = [[] for _ in names]
    for identity, track in tracks:
        try:
            for frame, entry in _entries(track, identity, (width, height), len(names), known, shard.skipped):
                x, y, w, h = entry['bbox']
                layout.see([x, y, x + w, y + h], width, height, track.where)
                entries[frame].append(entry)
        except BrokenRow as problem:
            shard.skipped.add(str(problem), track.where)
    shown = annotated_frames(video, len(names))
    for index, (file_name, annotations) in enumerate(zip(names, entries)):
        if index not in shown:
            continue
        shard.add({'file_name': file_name, 'width': width, 'height': height, 'video_id': video['id'],
                   'frame_id': index}, annotations)


def _entries(track: Row, identity: int, size: tuple, length: int, known: dict, skipped):
    """Yields (frame, annotation) wherever a track is to be seen."""
    category, crowd = label_of(track, known), int(flag(track.get('iscrowd'), 'iscrowd'))

    def note(reason: str, frame: int) -> None:
        skipped.add(reason, f'{track.where}, frame {frame}')

    areas = track['areas'] if isinstance(track.get('areas'), list) else []
    for frame, sight in enumerate(read_track(track, size, length, note)):
        if sight is None:
            continue
        entry = {'category_id': category, 'bbox': sight.xywh, 'iscrowd': crowd, 'instance_id': identity,
                 'area': sight.xywh[2] * sight.xywh[3]}
        if frame < len(areas) and areas[frame] is not None:
            try:
                entry['area'] = number(areas[frame], 'area')
            except BrokenRow as problem:
                note(str(problem), frame)
        if sight.mask is not None:
            entry['segmentation'] = sight.mask
        yield frame, entry

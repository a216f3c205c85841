"""Videos as independent images: YouTube-VIS like files become COCO files."""
from pathlib import Path

from ...structures.row_values import BrokenRow, flag, image_size, number
from ..store.json_file import label_of, read_categories, rows_by_id, rows_by_owner
from ..video.track_rows import read_track
from .shards import ConversionError, Shard, chunks, convert_shards, load_json

VIDEOS_PER_SHARD = 200


def convert_videos(videos_json, out, progress=None) -> dict:
    """Writes a COCO file with an image per frame.

    An annotation keeps its track as `instance_id`, an image has `video_id` and `frame_id` (from 0).
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
        ConversionError: the file has no `videos` or `annotations`.
    """
    content = load_json(videos_json)
    missing = [key for key in ('videos', 'annotations', 'categories') if key not in content]
    if missing:
        raise ConversionError(f'{videos_json} lacks {missing}: give a file in the YouTube-VIS format')
    by_id = rows_by_id(content['videos'])
    videos, tracks = list(by_id.values()), rows_by_owner(content['annotations'], by_id, 'video_id')
    known = {category['id']: category['id'] for category in read_categories(content['categories'], videos_json)}

    def convert(videos: list) -> Shard:
        shard = Shard()
        for video in videos:
            try:
                _convert_video(video, [track for _, track in tracks[video['id']]], known, shard)
            except BrokenRow as problem:
                shard.skipped[str(problem)] += 1
        return shard

    return convert_shards(out, chunks(videos, VIDEOS_PER_SHARD), convert, {'categories': content['categories']},
                          arguments={'videos': str(Path(videos_json)), 'count': len(videos)},
                          progress=progress, total=-(-len(videos) // VIDEOS_PER_SHARD))


def _convert_video(video: dict, tracks: list, known: dict, shard: Shard) -> None:
    width, height = image_size(video)
    names = video.get('file_names')
    if not isinstance(names, list) or not names:
        raise BrokenRow('video without file_names')
    entries = [[] for _ in names]
    for track in tracks:
        try:
            for frame, entry in _entries(track, (width, height), len(names), known, shard.skipped):
                entries[frame].append(entry)
        except BrokenRow as problem:
            shard.skipped[str(problem)] += 1
    for index, (file_name, annotations) in enumerate(zip(names, entries)):
        shard.add({'file_name': file_name, 'width': width, 'height': height, 'video_id': video['id'],
                   'frame_id': index}, annotations)


def _entries(track: dict, size: tuple, length: int, known: dict, skipped):
    """Yields (frame, annotation) wherever a track is to be seen."""
    category, crowd = label_of(track, known), int(flag(track.get('iscrowd'), 'iscrowd'))

    def note(reason: str, frame: int) -> None:
        skipped[reason] += 1

    areas = track['areas'] if isinstance(track.get('areas'), list) else []
    for frame, sight in enumerate(read_track(track, size, length, note)):
        if sight is None:
            continue
        entry = {'category_id': category, 'bbox': sight.xywh, 'iscrowd': crowd, 'instance_id': track.get('id'),
                 'area': sight.xywh[2] * sight.xywh[3]}
        if frame < len(areas) and areas[frame] is not None:
            try:
                entry['area'] = number(areas[frame], 'area')
            except BrokenRow as problem:
                note(str(problem), frame)
        if sight.mask is not None:
            entry['segmentation'] = sight.mask
        yield frame, entry

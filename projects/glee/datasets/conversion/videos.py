"""Videos as independent images: YouTube-VIS like files become COCO files."""
from pathlib import Path

from .shards import ConversionError, Shard, chunks, convert_shards, load_json

VIDEOS_PER_SHARD = 200


def convert_videos(videos_json, out, progress=None) -> dict:
    """Writes a COCO file with an image per frame.

    An annotation keeps its track as `instance_id`, an image has `video_id` and `frame_id` (from 0).
    Masks stay in the form they have; where there are none, boxes only.

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
    tracks = {}
    for track in content['annotations'] or ():
        tracks.setdefault(track['video_id'], []).append(track)

    def convert(videos: list) -> Shard:
        shard = Shard()
        for video in videos:
            _convert_video(video, tracks.get(video['id'], ()), shard)
        return shard

    videos = content['videos']
    return convert_shards(out, chunks(videos, VIDEOS_PER_SHARD), convert, {'categories': content['categories']},
                          arguments={'videos': str(Path(videos_json)), 'count': len(videos)},
                          progress=progress, total=-(-len(videos) // VIDEOS_PER_SHARD))


def _convert_video(video: dict, tracks: list, shard: Shard) -> None:
    length = len(video['file_names'])
    usable = [track for track in tracks if len(track['bboxes']) == length]
    shard.skipped['track of another length than its video'] += len(tracks) - len(usable)
    for index, file_name in enumerate(video['file_names']):
        annotations = [_annotation(track, index, shard.skipped) for track in usable]
        shard.add({'file_name': file_name, 'width': video['width'], 'height': video['height'],
                   'video_id': video['id'], 'frame_id': index},
                  [entry for entry in annotations if entry is not None])


def _annotation(track: dict, index: int, skipped):
    box = track['bboxes'][index]
    if box is None:
        return None
    if min(box[2:]) <= 0:
        skipped['box without area'] += 1
        return None
    entry = {'category_id': track['category_id'], 'bbox': box, 'iscrowd': track.get('iscrowd', 0),
             'instance_id': track['id']}
    area = (track.get('areas') or [None] * (index + 1))[index]
    entry['area'] = box[2] * box[3] if area is None else area
    if track.get('segmentations') is not None:
        if track['segmentations'][index] is None:
            skipped['box without mask'] += 1
            return None
        entry['segmentation'] = track['segmentations'][index]
    return entry

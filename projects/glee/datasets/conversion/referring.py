"""Referring data sets: Ref-YouTube-VOS as images, and one training set of RefCOCO, + and g."""
from collections import Counter
from pathlib import Path

from ...structures.masks import area, to_rle
from ...structures.row_values import BrokenRow, image_size, integer
from ...structures.sample_text import as_names
from ..store.json_file import look_up, rows_by_id, rows_by_owner, rows_of
from ..video.track_rows import read_track
from .shards import ConversionError, Shard, chunks, convert_shards, load_json, save_json

VIDEOS_PER_SHARD = 100


def convert_referring_videos(videos_json, out, progress=None) -> dict:
    """Writes the frames of Ref-YouTube-VOS in the layout of the RefCOCO files.

    There, an image entry holds the `expressions` of one object and one annotation belongs to it.
    Sentences about the same object of a video (`obj_id`, where the file has it) share an entry;
    frames without the object are left out.

    Args:
        videos_json (str | Path): train.json: a video entry per expression, with `expressions`,
            `exp_id` and `video`, one annotation each, masks per frame.
        out (str | Path): file to write, e.g. RVOS_refcocofmt.json.
        progress (Callable): see `convert_shards`.

    Returns:
        dict: reason -> number of entries left out.

    Raises:
        ConversionError: the videos have no `expressions`.
    """
    content = load_json(videos_json)
    entries = rows_by_id(content.get('videos'))
    if not entries or any(not video.get('expressions') for video in entries.values()):
        raise ConversionError(f'{videos_json}: every video entry must have an id and `expressions`')
    tracks = {entry: group[-1][1] for entry, group in rows_by_owner(
        content.get('annotations'), entries, 'video_id').items() if group}
    groups = {}
    for video in entries.values():
        key = (str(video.get('video')), str(video['obj_id'])) if 'obj_id' in video else (video['id'], )
        groups.setdefault(key, []).append(video)

    def convert(batch: list) -> Shard:
        shard = Shard()
        for videos in batch:
            try:
                _add_object(shard, videos, tracks.get(videos[0]['id']))
            except BrokenRow as problem:
                shard.skipped[str(problem)] += 1
        return shard

    return convert_shards(out, chunks(groups.values(), VIDEOS_PER_SHARD), convert,
                          {'categories': [{'id': 1, 'name': 'object', 'supercategory': 'object'}]},
                          arguments={'videos': str(Path(videos_json)), 'objects': len(groups)},
                          progress=progress, total=-(-len(groups) // VIDEOS_PER_SHARD))


def _add_object(shard: Shard, videos: list, track) -> None:
    if track is None:
        shard.skipped['expression without an annotation'] += 1
        return
    video = videos[0]
    expressions = [expression for entry in videos for expression in as_names(entry['expressions'])]
    (width, height), names = image_size(video), video.get('file_names')
    if not isinstance(names, list) or not names:
        raise BrokenRow('video without file_names')

    def note(reason: str, frame: int) -> None:
        shard.skipped[reason] += 1

    for index, (name, sight) in enumerate(zip(names, read_track(track, (width, height), len(names), note))):
        if sight is None or sight.mask is None:
            shard.skipped['frame without the object'] += 1
            continue
        shard.add({'file_name': name, 'width': width, 'height': height, 'expressions': expressions,
                   'dataset_name': 'ref-youtube-vos', 'video': video.get('video'), 'frame_id': index},
                  [{'category_id': 1, 'segmentation': sight.mask, 'bbox': sight.xywh,
                    'area': area(to_rle(sight.mask, height, width)), 'iscrowd': 0}])


def merge_refcoco(train_files: list, held_out_files: list, out) -> dict:
    """Writes one training file of several, without any image of the held-out splits.

    RefCOCO, RefCOCO+ and RefCOCOg split the same COCO images differently: an image that one trains
    on may be tested by another.

    Args:
        train_files (list[str | Path]): files of RefCOCO layout; images have `original_id`, the
            COCO id, or else one in `file_name` (COCO_train2014_000000000042.jpg).
        held_out_files (list[str | Path]): all val and test files.
        out (str | Path): file to write.

    Returns:
        dict: 'kept' and, per training file, the number of entries left out as held out.

    Raises:
        ConversionError: no training file is named, or an image has no COCO id.
    """
    if not train_files or not held_out_files:
        raise ConversionError('name at least one training and one held-out file')
    held_out = {coco_id(image, path) for path in held_out_files for image in _images_of(load_json(path), path).values()}
    images, annotations, counts = [], [], Counter()
    categories = None
    for path in train_files:
        content = load_json(path)
        entries = _images_of(content, path)
        categories = categories or content.get('categories')
        new_ids = {}
        for identifier, image in entries.items():
            if coco_id(image, path) in held_out:
                counts[f'{path}: image of a held-out split'] += 1
                continue
            new_ids[identifier] = len(images) + 1
            images.append(dict(image, id=len(images) + 1))
        for entry in rows_of(content.get('annotations')):
            try:
                image_id = look_up(new_ids, entry.get('image_id') if isinstance(entry, dict) else None, '')
            except BrokenRow:
                continue  # of a held-out image, or of none
            annotations.append(dict(entry, id=len(annotations) + 1, image_id=image_id))
    save_json(Path(out), {'images': images, 'annotations': annotations, 'categories': categories})
    return {'kept': len(images), **counts}


def _images_of(content, path) -> dict:
    """The images of a file, by id.

    Raises:
        ConversionError: there is none.
    """
    images = rows_by_id(content.get('images')) if isinstance(content, dict) else {}
    if not images:
        raise ConversionError(f'{path} has no `images` with an id')
    return images


def coco_id(image: dict, path) -> int:
    """The COCO image that an entry shows.

    Raises:
        ConversionError: neither `original_id` nor `file_name` tells.
    """
    digits = image['original_id'] if 'original_id' in image else (
        Path(str(image.get('file_name', ''))).stem.rsplit('_', 1)[-1])
    try:
        return integer(digits, 'COCO id')
    except BrokenRow as error:
        raise ConversionError(f'{path}: image {image["id"]} has neither original_id nor a COCO file_name') from error

"""Referring data sets: Ref-YouTube-VOS as images, and one training set of RefCOCO, + and g."""
from pathlib import Path
from typing import Any

from ...structures.masks import area, to_rle
from ...structures.row_values import BrokenRow, image_size, integer
from ...structures.sample_text import as_names
from ..store.broken_rows import BrokenRows
from ..store.json_file import look_up
from ..store.rows import Row, group_rows, read_owners, read_rows
from ..video.track_rows import read_track
from .shards import ConversionError, Shard, Skipped, chunks, convert_shards, load_json, save_json

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
        ValueError: nobody knows which row an id means.
    """
    content, broken = load_json(videos_json, 'videos'), BrokenRows()
    entries = _owners(content, 'videos', videos_json, broken)
    for video in entries.values():
        if not _sentences(video):
            raise ConversionError(f'{videos_json}: {video.where} has no `expressions`; every entry needs some')
        if not isinstance(video.get('video'), (str, type(None))):
            raise ConversionError(f'{videos_json}: {video.where} has a `video` that is no name')
    rows = read_rows(content, 'annotations', str(videos_json), broken)
    tracks = {entry: group[-1] for entry, group in group_rows(rows, entries, 'video_id', broken).items() if group}
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
                shard.skipped.add(str(problem), videos[0].where)
        shard.skipped.name_file(videos_json)
        return shard

    skipped = convert_shards(out, chunks(groups.values(), VIDEOS_PER_SHARD), convert,
                             {'categories': [{'id': 1, 'name': 'object', 'supercategory': 'object'}]},
                             arguments={'videos': str(Path(videos_json)), 'objects': len(groups)},
                             progress=progress, total=-(-len(groups) // VIDEOS_PER_SHARD))
    skipped.take(broken, videos_json)
    return skipped


def _sentences(video: dict) -> list[str]:
    """The sentences of an entry that are not blank."""
    said = video.get('expressions')
    said = as_names(said) if isinstance(said, (str, list)) else ()
    return [text for text in said if isinstance(text, str) and text.strip()]


def _add_object(shard: Shard, videos: list, track) -> None:
    if track is None:
        raise BrokenRow('expression without an annotation')
    video = videos[0]
    expressions = [expression for entry in videos for expression in _sentences(entry)]
    (width, height), names = image_size(video), video.get('file_names')
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise BrokenRow('video without file_names')

    def note(reason: str, frame: int) -> None:
        shard.skipped.add(reason, f'{track.where}, frame {frame}')

    for index, (name, sight) in enumerate(zip(names, read_track(track, (width, height), len(names), note))):
        if sight is None or sight.mask is None:
            shard.skipped.add('frame without the object', f'{track.where}, frame {index}')
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
    held_out = {coco_id(image, path) for path in held_out_files
                for image in _owners(load_json(path, 'images'), 'images', path, BrokenRows()).values()}
    images, annotations, counts = [], [], Skipped()
    categories = None
    for path in train_files:
        content, broken = load_json(path, 'images'), BrokenRows()
        entries = _owners(content, 'images', path, broken)
        categories = categories or content.get('categories')
        new_ids = {}
        for identifier, image in entries.items():
            if coco_id(image, path) in held_out:
                counts.add(f'{path}: image of a held-out split', image.where)
                continue
            new_ids[identifier] = len(images) + 1
            images.append(dict(image, id=len(images) + 1))
        for entry in read_rows(content, 'annotations', str(path), broken):
            try:
                owner = look_up(entries, entry.get('image_id'), 'annotation of an unknown image')['id']
            except BrokenRow as problem:
                broken.add(str(problem), entry.where)
                continue
            if owner in new_ids:
                annotations.append(dict(entry, id=len(annotations) + 1, image_id=new_ids[owner]))
        for reason, (count, where) in broken.reasons.items():
            counts.add(reason, f'{path}: {where}', count)
    save_json(Path(out), {'images': images, 'annotations': annotations, 'categories': categories})
    counts['kept'] = len(images)
    return counts


def _owners(content: dict, key: str, path, broken: BrokenRows) -> dict[Any, Row]:
    """`read_owners`, of which there must be one.

    Raises:
        ConversionError: there is none.
    """
    owners = read_owners(content, key, str(path), broken)
    if not owners:
        raise ConversionError(f'{path} has no `{key}` with an id')
    return owners


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

"""Videos annotated by PNG files of object ids (YouTube-VOS, MOSE, DAVIS, Ref-YouTube-VOS)."""
from pathlib import Path

import numpy as np

from ...structures.masks import area, bounding_box, encode
from ...structures.row_values import BrokenRow, integer, string
from ..store.index_maps import VOID, read_index_map, show_one_object
from ..store.json_file import is_id
from ..store.pictures import list_folders, list_pictures, picture_size
from .shards import ConversionError, Shard, Skipped, convert_shards, load_json

OBJECT = [{'id': 1, 'name': 'object'}]


def convert_png_videos(image_root, mask_root, out, progress=None) -> dict:
    """Writes a YouTube-VIS like file with a track of category 'object' per id.

    Frames without a PNG file are not annotated: where there are any, a video has the positions of
    the others as `annotated_frames`. A PNG of another size than its frame is left out.

    Args:
        image_root (str | Path): {video}/{frame}.jpg.
        mask_root (str | Path): {video}/{frame}.png, 0 for background and 255 for void; in a video
            of grey files with nothing but these two (DAVIS 2016), 255 is the one object. Its
            folders are the videos.
        out (str | Path): file to write.
        progress (Callable): see `convert_shards`.

    Returns:
        dict: reason -> number of videos or frames left out.

    Raises:
        ConversionError: `mask_root` holds no folders.
    """
    image_root, mask_root = Path(image_root), Path(mask_root)
    names = _folders(mask_root)

    def convert(name: str) -> Shard:
        shard = Shard()
        video = _video_entry(image_root, name, shard.skipped)
        if video is not None:
            tracks = read_tracks(mask_root, video, shard.skipped)
            shard.add(dict(video, **_annotated_frames(mask_root, video)),
                      [_annotation(track, video, png_id=png_id) for png_id, track in sorted(tracks.items())])
        return shard

    return convert_shards(out, names, convert, {'categories': OBJECT}, item='video', progress=progress,
                          arguments={'images': str(image_root), 'masks': str(mask_root)}, total=len(names))


def convert_ref_youtube_vos(meta_json, image_root, mask_root, out, progress=None) -> dict:
    """Writes train.json of Ref-YouTube-VOS: a video entry and one annotation per sentence.

    Args:
        meta_json (str | Path): meta_expressions.json with `obj_id` per expression.
        image_root, mask_root, out, progress: see `convert_png_videos`.

    Returns:
        dict: reason -> number of videos, frames or sentences left out.

    Raises:
        ConversionError: `meta_json` has no `videos`.
    """
    image_root, mask_root = Path(image_root), Path(mask_root)
    videos = load_json(meta_json, 'videos')['videos']
    if not videos or not isinstance(videos, dict):
        raise ConversionError(f'{meta_json} has no `videos` by name')

    def convert(name: str) -> Shard:
        shard, where = Shard(), f'{meta_json}: video {name}'
        meta = videos[name] if isinstance(videos[name], dict) else {}
        frames = meta.get('frames')
        if not isinstance(meta.get('expressions'), dict) or not isinstance(frames, (list, type(None))) or (
                not all(map(is_id, frames or ()))):
            shard.skipped.add('video without frames or expressions', where)
            return shard
        video = _video_entry(image_root, name, shard.skipped, frames)
        if video is None:
            return shard
        tracks = read_tracks(mask_root, video, shard.skipped)
        for exp_id, said in meta['expressions'].items():
            try:
                said = said if isinstance(said, dict) else {}
                number, sentence = integer(said.get('obj_id'), 'obj_id'), string(said.get('exp'), 'expression')
                if number not in tracks:
                    raise BrokenRow('sentence without masks')
            except BrokenRow as problem:
                shard.skipped.add(str(problem), f'{where}, expression {exp_id}')
                continue
            shard.add(dict(video, video=name, expressions=[sentence], exp_id=exp_id, obj_id=number),
                      [_annotation(tracks[number], video)])
        return shard

    return convert_shards(out, list(videos), convert, {'categories': OBJECT}, item='video', progress=progress,
                          arguments={'meta': str(meta_json), 'masks': str(mask_root)}, total=len(videos))


def read_tracks(mask_root: Path, video: dict, skipped: Skipped) -> dict:
    """Object id -> list per frame of a compressed RLE, or None where the object is absent."""
    tracks, grey = {}, True
    for index, name in enumerate(video['file_names']):
        path = (mask_root / name).with_suffix('.png')
        if not path.is_file():
            continue
        try:
            ids, is_grey = read_index_map(path)
        except OSError:
            skipped.add('unreadable PNG', str(path))
            continue
        except ValueError:
            ids = np.zeros((0, 0), np.uint8)
        if ids.shape != (video['height'], video['width']):
            skipped.add('PNG of another size than its video, or with colours instead of ids', str(path))
            continue
        grey &= is_grey
        for number in sorted(set(np.unique(ids).tolist()) - {0}):
            masks = tracks.setdefault(number, [None] * len(video['file_names']))
            masks[index] = encode(ids == number)
    void = tracks.pop(VOID, None)
    return {1: void} if not tracks and void and show_one_object([VOID], grey) else tracks


def _annotation(masks: list, video: dict, **extra) -> dict:
    return {'category_id': 1, 'iscrowd': 0, 'height': video['height'], 'width': video['width'],
            'length': video['length'], 'segmentations': masks,
            'bboxes': [mask and bounding_box(mask) for mask in masks],
            'areas': [mask and area(mask) for mask in masks], **extra}


def _annotated_frames(mask_root: Path, video: dict) -> dict:
    """`annotated_frames`, where frames lack a PNG file."""
    positions = [position for position, name in enumerate(video['file_names'])
                 if (mask_root / name).with_suffix('.png').is_file()]
    return {} if len(positions) == len(video['file_names']) else {'annotated_frames': positions}


def _folders(root: Path) -> list:
    names = list_folders(root) if root.is_dir() else []
    if not names:
        raise ConversionError(f'{root} holds no folders of videos')
    return names


def _video_entry(image_root: Path, name: str, skipped: Skipped, frames: list = None):
    """A video with its frames in order; the size is that of the first one."""
    files = list_pictures(image_root / name, ('.jpg', '.jpeg')) if (image_root / name).is_dir() else []
    if frames is not None:
        wanted = set(map(str, frames))
        files = [path for path in files if path.stem in wanted]
    try:
        height, width = picture_size(files[0])
    except (IndexError, OSError):
        skipped.add('video without readable frames', str(image_root / name))
        return None
    return {'file_names': [f'{name}/{path.name}' for path in files], 'width': width, 'height': height,
            'length': len(files)}

"""Whether a result file is what a benchmark's server or program accepts."""
import codecs
import json
import zipfile
from pathlib import Path
from typing import Any, Callable

import numpy as np
from PIL import Image

from ...datasets.store.broken_rows import BrokenRows, summarize
from ...datasets.store.json_file import is_id, load_json, read_categories
from ...datasets.store.pictures import list_folders, list_pictures, picture_size
from ...datasets.store.rows import Row, read_owners, read_rows
from ...structures.masks import read_mask
from ...structures.row_values import BrokenRow, image_size

MAX_NUMBER = 1e9  # of a box; NaN and infinity are beyond


class ResultFileError(ValueError):
    """A result file breaks its format; file and entry are named."""


def _load(path: Path):
    """JSON of a file, or of results.json inside a zip."""
    if not path.is_file():
        raise ResultFileError(f'{path} does not exist')
    if path.suffix == '.zip':
        try:
            with zipfile.ZipFile(path) as archive:
                if archive.namelist() != ['results.json']:
                    raise ResultFileError(f'{path} must hold results.json alone, not {archive.namelist()}')
                text = archive.read('results.json')
        except zipfile.BadZipFile as error:
            raise ResultFileError(f'{path} is no zip file: {error}') from error
    else:
        text = path.read_bytes()
    if text.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ResultFileError(f'{path} starts with a byte-order mark, which the official programs do not read')
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultFileError(f'{path} is not valid JSON: {error}') from error


def _rows(path: Path) -> list:
    content = _load(path)
    if not isinstance(content, list):
        raise ResultFileError(f'{path} must be a list of rows, not {type(content).__name__}')
    return content


def _require(row: dict, keys: dict[str, Callable], where: str) -> None:
    if not isinstance(row, dict):
        raise ResultFileError(f'{where} is no JSON object: {str(row)[:80]}')
    for key, valid in keys.items():
        if key not in row:
            raise ResultFileError(f'{where} has no {key!r}')
        try:
            fits = valid(row[key])
        except (TypeError, ValueError, AttributeError):  # of a value of another kind
            fits = False
        if not fits:
            raise ResultFileError(f'{where} has an invalid {key!r}: {str(row[key])[:80]}')


def _truth(path: str, key: str, needed: dict[str, Callable], with_ids: bool = True
           ) -> tuple[dict[Any, Row], list[dict]]:
    """The rows of a list of an annotation file by id, or else by number, and its categories.

    Args:
        path: the file.
        key: of the list.
        needed: keys that each row must have, and what is valid.
        with_ids: rows must have an id, each its own.

    Raises:
        ResultFileError: it is no such file; file, row and key are named.
    """
    broken = BrokenRows()
    try:
        content = load_json(path, key, 'categories')
        rows = read_owners(content, key, path, broken) if with_ids else dict(
            enumerate(read_rows(content, key, path, broken)))
        categories = read_categories(content['categories'], path)
    except (ValueError, FileNotFoundError) as error:
        raise ResultFileError(str(error)) from error
    for row in rows.values():
        _require(row, needed, f'{path}: {row.where}')
    if broken.reasons or not rows:
        raise ResultFileError(summarize(broken.reasons, path) or f'{path}: `{key}` is empty')
    return rows, categories


def _is_text(value) -> bool:
    return isinstance(value, str) and bool(value)


def _are_names(value) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _size(row: Row, path: str) -> tuple[int, int]:
    """(height, width) of a video."""
    try:
        width, height = image_size(row)
    except BrokenRow as problem:
        raise ResultFileError(f'{path}: {row.where}: {problem}') from None
    return height, width


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -MAX_NUMBER < value < MAX_NUMBER


def _is_score(value) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _check_rle(rle, size: tuple[int, int], where: str) -> None:
    found = rle.get('size') if isinstance(rle, dict) else None
    if isinstance(rle, dict) and (list(found) if isinstance(found, list) else found) != list(size):
        raise ResultFileError(f'{where} has a mask of size {rle.get("size")} in a video of size {list(size)}')
    try:
        if not isinstance(rle, dict) or not isinstance(rle.get('counts'), str):
            raise BrokenRow('the official programs take compressed text alone')
        read_mask(rle, *size)
    except BrokenRow as error:
        raise ResultFileError(f'{where} has a mask that is no RLE: {error}') from error


def check_vis(path: str, ann_file: str) -> int:
    """Results of YouTube-VIS, OVIS, UVO, LV-VIS (JSON or zip) against the annotation file; number of rows."""
    path, (videos, categories) = Path(path), _truth(ann_file, 'videos', dict(file_names=_are_names))
    sizes, categories = {key: _size(video, ann_file) for key, video in videos.items()}, {c['id'] for c in categories}
    rows = _rows(path)
    for number, row in enumerate(rows):
        where = f'{path}: row {number}'
        _require(row, dict(video_id=videos.__contains__, category_id=categories.__contains__, score=_is_score,
                           segmentations=lambda value: isinstance(value, list)), where)
        video = videos[row['video_id']]
        num_masks, num_frames = len(row['segmentations']), len(video['file_names'])
        if num_masks != num_frames:
            raise ResultFileError(f'{where} has {num_masks} masks for {num_frames} frames')
        for rle in row['segmentations']:
            if rle is not None:
                _check_rle(rle, sizes[row['video_id']], where)
    return len(rows)


def check_tao(path: str, ann_file: str) -> int:
    """Results of TAO against validation.json; number of boxes."""
    path, (images, categories) = Path(path), _truth(ann_file, 'images', dict(video_id=is_id))
    categories = {category['id'] for category in categories}
    owners: dict[int, tuple] = {}
    rows, seen = _rows(path), set()
    for number, row in enumerate(rows):
        where = f'{path}: row {number}'
        _require(row, dict(
            image_id=images.__contains__, category_id=categories.__contains__, score=_is_score,
            track_id=lambda value: isinstance(value, int) and value > 0, video_id=lambda value: True,
            bbox=lambda value: len(value) == 4 and all(map(_is_number, value)) and min(value[2:]) >= 0), where)
        if images[row['image_id']]['video_id'] != row['video_id']:
            raise ResultFileError(f'{where}: image {row["image_id"]} is not of video {row["video_id"]}')
        owner = owners.setdefault(row['track_id'], (row['video_id'], row['category_id']))
        if owner != (row['video_id'], row['category_id']):
            raise ResultFileError(f'{where}: track {row["track_id"]} has two videos or categories')
        if (row['image_id'], row['track_id']) in seen:
            raise ResultFileError(f'{where}: track {row["track_id"]} is twice in image {row["image_id"]}')
        seen.add((row['image_id'], row['track_id']))
    return len(rows)


def check_burst(path: str, ann_file: str) -> int:
    """Results of BURST against all_classes.json; number of masks."""
    path, (truth, categories) = Path(path), _truth(
        ann_file, 'sequences', dict(dataset=_is_text, seq_name=_is_text, height=_is_number, width=_is_number,
                                    annotated_image_paths=_are_names), with_ids=False)
    sequences = {(entry['dataset'], entry['seq_name']): entry for entry in truth.values()}
    categories, count = {category['id'] for category in categories}, 0
    content = _load(path)
    _require(content, dict(sequences=lambda value: isinstance(value, list)), str(path))
    for number, entry in enumerate(content['sequences']):
        where = f'{path}: sequence {number}'
        _require(entry, dict(
            dataset=lambda value: isinstance(value, str), seq_name=lambda value: isinstance(value, str),
            height=_is_number, width=_is_number, annotated_image_paths=lambda value: isinstance(value, list),
            segmentations=lambda value: isinstance(value, list) and all(isinstance(frame, dict) for frame in value),
            track_category_ids=lambda value: isinstance(value, dict)), where)
        reference = sequences.get((entry['dataset'], entry['seq_name']))
        if reference is None:
            raise ResultFileError(f'{where}, {entry["dataset"]}/{entry["seq_name"]}, is not annotated')
        for key in ('height', 'width', 'annotated_image_paths'):
            if entry[key] != reference[key]:
                raise ResultFileError(f'{where}: {key} differs from the annotation')
        if len(entry['segmentations']) != len(reference['annotated_image_paths']):
            raise ResultFileError(f'{where} has {len(entry["segmentations"])} segmentations')
        for frame in entry['segmentations']:
            for track, mask in frame.items():
                category = entry['track_category_ids'].get(track)
                if not is_id(category) or category not in categories:
                    raise ResultFileError(f'{where}: track {track} has no known category')
                counts = mask.get('rle') if isinstance(mask, dict) else None
                _check_rle(dict(size=[entry['height'], entry['width']], counts=counts),
                           (entry['height'], entry['width']), f'{where}, track {track}')
                count += 1
    return count


def check_bdd(path: str, ann_file: str) -> int:
    """Box or segmentation tracks of BDD100K against the annotation file that was tested; number of labels."""
    path, (videos, categories) = Path(path), _truth(ann_file, 'videos', dict(file_names=_are_names))
    names, sizes = {category['name'] for category in categories}, {}
    for video in videos.values():
        folder, size = video.get('name') or video['file_names'][0].rpartition('/')[0], _size(video, ann_file)
        sizes.update({(folder, file.rpartition('/')[2], number): size
                      for number, file in enumerate(video['file_names'])})
    owners, count = {}, 0
    for number, frame in enumerate(_rows(path)):
        where = f'{path}: frame {number}'
        _require(frame, dict(videoName=lambda value: isinstance(value, str), name=lambda value: isinstance(value, str),
                             frameIndex=lambda value: isinstance(value, int),
                             labels=_are_labels), where)
        size = sizes.pop((frame['videoName'], frame['name'], frame['frameIndex']), None)
        if size is None:
            raise ResultFileError(f'{where}, {frame["videoName"]}/{frame["name"]}, is not annotated or there twice')
        if len({str(label['id']) for label in frame['labels']}) != len(frame['labels']):
            raise ResultFileError(f'{where} has a track twice')
        for label in frame['labels']:
            _require(label, dict(category=names.__contains__, score=_is_score), where)
            if owners.setdefault((frame['videoName'], str(label['id'])), label['category']) != label['category']:
                raise ResultFileError(f'{where}: track {label["id"]} has two categories')
            if 'rle' in label:
                _check_rle(label['rle'], size, where)
            else:
                _require(label, dict(box2d=_is_box), where)
        count += len(frame['labels'])
    if sizes:
        raise ResultFileError(f'{path} lacks {len(sizes)} frames, e.g. {"/".join(next(iter(sizes))[:2])}')
    return count


def _are_labels(value) -> bool:
    return isinstance(value, list) and all(isinstance(label, dict) and label.get('id') is not None for label in value)


def _is_box(box: dict) -> bool:
    return (set(box) == {'x1', 'y1', 'x2', 'y2'} and all(map(_is_number, box.values()))
            and box['x1'] <= box['x2'] and box['y1'] <= box['y2'])


def check_object_maps(folder: str, frames: str, videos: list[str] | None = None) -> int:
    """Palette PNG files of YouTube-VOS, MOSE, DAVIS against the folder of the frames; number of files.

    Args:
        folder (str): the results, ``<video>/<frame>.png``.
        frames (str): the pictures, ``<video>/<frame>.jpg``.
        videos (list[str] | None): videos that must be there; None requires all of ``frames``.
    """
    if not Path(frames).is_dir():
        raise ResultFileError(f'{frames} is no folder of videos')
    names = list_folders(frames) if videos is None else videos
    if not names:
        raise ResultFileError(f'no video of {frames} is asked for')
    return sum(_check_pictures(Path(folder) / name, Path(frames) / name, 'P') for name in names)


def check_expression_masks(folder: str, frames: str, meta_file: str) -> int:
    """Binary PNG files of Ref-YouTube-VOS, MeViS against meta_expressions.json; number of files.

    Videos of the file without a folder of frames are of another split, as the file of Ref-YouTube-VOS valid has them.
    """
    videos = {name: said for name, said in _expressions(meta_file).items() if (Path(frames) / name).is_dir()}
    if not videos:
        raise ResultFileError(f'{frames} has the frames of no video of {meta_file}')
    return sum(_check_pictures(Path(folder) / name / expression, Path(frames) / name, 'L')
               for name, expressions in videos.items() for expression in expressions)


def _expressions(meta_file: str) -> dict[str, list[str]]:
    """Ids of the expressions of each video in a meta_expressions.json.

    Raises:
        ResultFileError: it is no such file; file and video are named.
    """
    try:
        videos = load_json(meta_file, 'videos')['videos']
    except (ValueError, FileNotFoundError) as error:
        raise ResultFileError(str(error)) from error
    if not isinstance(videos, dict):
        raise ResultFileError(f'{meta_file}: `videos` must be an object by name, not {type(videos).__name__}')
    for name, video in videos.items():
        _require(video, dict(expressions=lambda value: isinstance(value, dict)), f'{meta_file}: video {name}')
    return {name: list(video['expressions']) for name, video in videos.items()}


def check_ref_davis(folder: str, frames: str, meta_file: str) -> int:
    """Maps and binary PNG files of Ref-DAVIS17's four annotators against meta_expressions.json; number of files."""
    count = 0
    for name, keys in _expressions(meta_file).items():
        for annotator in range(4):
            expressions = keys[annotator::4]
            count += _check_pictures(Path(folder) / f'anno_{annotator}' / name, Path(frames) / name, 'P',
                                     highest=len(expressions))
            count += sum(_check_pictures(Path(folder) / f'annotator_{annotator}' / name / key, Path(frames) / name, 'L')
                         for key in expressions)
    return count


def _check_pictures(results: Path, frames: Path, mode: str, highest: int = 254) -> int:
    """One PNG of the frame's size per frame, in palette ('P', up to ``highest``) or grey ('L', only 0 and 255) mode."""
    expected = {path.stem: path for path in list_pictures(frames, ('.jpg', '.jpeg', '.png'))} if frames.is_dir() else {}
    if not expected:
        raise ResultFileError(f'{frames} holds no pictures (.jpg, .png) of a video')
    found = {path.stem: path for path in results.glob('*.png')} if results.is_dir() else {}
    if set(expected) != set(found):
        missing = sorted(set(expected) ^ set(found))[:3]
        raise ResultFileError(f'{results}: the frames differ from those of {frames}, e.g. {missing}')
    for stem, path in found.items():
        size = picture_size(expected[stem])[::-1]
        try:
            with Image.open(path) as picture:
                kind, values = (picture.mode, picture.size), set(np.unique(np.asarray(picture)).tolist())
        except (OSError, SyntaxError, ValueError) as error:
            raise ResultFileError(f'{path} cannot be read: {error}') from error
        if kind != (mode, size):
            raise ResultFileError(f'{path} is {kind[0]} {kind[1]}, expected {mode} {size}')
        if not values <= {0, 255} if mode == 'L' else max(values) > highest:
            raise ResultFileError(f'{path} has the invalid values {sorted(values)[-3:]}')
    return len(found)

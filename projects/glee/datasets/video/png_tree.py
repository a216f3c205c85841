"""Masks as palette PNG files: YouTube-VOS, MOSE, DAVIS."""
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmdet.registry import DATASETS
from mmengine.logging import print_log

from ...structures.masks import encode
from ...structures.row_values import BrokenRow
from ..store.broken_rows import BrokenRows
from ..store.index_maps import VOID, read_index_map, show_one_object
from ..store.json_file import load_json
from ..store.pictures import list_folders, list_pictures, picture_size, read_name_list
from .video_dataset import VideoDataset, make_instance

SUFFIXES = ('.jpg', '.jpeg', '.png')


@DATASETS.register_module()
class PNGTreeDataset(VideoDataset):
    """``{img}/{video}/{frame}.jpg`` with ``{ann}/{video}/{frame}.png``, whose palette index is the object.

    ``data_prefix=dict(img=..., ann=...)``. Every object has label 0, 'object'; the first frame in which it
    appears carries its mask as prompt (``FirstMaskPrompts``). A frame without a PNG is not ``annotated``, and none is
    where the PNG files show each object once, when it appears: such files give the first masks alone and hide the
    truth (the valid sets of YouTube-VOS and MOSE). Index 255 is void, but in a video whose files are grey and hold
    nothing but 0 and 255 (DAVIS 2016) that is the one object. PNG files are read when a window needs them.

    A video without a frame that can be read is left out and named; a frame whose PNG cannot be read is not
    ``annotated``.

    Args:
        split_file (str | None): text file with one video per line, or one frame and its PNG (DAVIS's ImageSets of
            2017, 2016); without it all folders below ``img``.
        meta_file (str | None): YouTube-VOS's meta.json with the category of every object; the one of valid has none.
        train_meta_file (str | None): meta.json of the training split: categories of ``meta_file`` that are not
            in it count as unseen (``YouTubeVOSMetric``).
        unseen_categories (Sequence[str]): further categories that count as unseen.
        **kwargs: as for ``VideoDataset``.

    Raises:
        ValueError: ``train_meta_file`` is given without ``meta_file``, which has the categories of the objects.
    """

    def __init__(self, *args, split_file: str | None = None, meta_file: str | None = None,
                 train_meta_file: str | None = None, unseen_categories=(), **kwargs) -> None:
        if train_meta_file is not None and meta_file is None:
            raise ValueError(f'train_meta_file={train_meta_file!r} needs meta_file, which has the categories of the '
                             'objects')
        self.split_file, self.meta_file, self.train_meta_file = split_file, meta_file, train_meta_file
        self.unseen_categories = set(unseen_categories)
        self._scanned: tuple = (None, {})
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Records of all videos, by name; ``instances`` come later."""
        self.adopt_categories([dict(id=1, name='object')])
        root, pictures = Path(self.data_root or ''), Path(self.data_prefix['img'])
        if self.split_file is not None:
            names = videos_of_list(root / self.split_file)
        else:
            names = list_folders(pictures)
        meta = {} if self.meta_file is None else read_meta(root / self.meta_file, self.broken)
        if self.train_meta_file is not None:
            seen = categories_of(read_meta(root / self.train_meta_file, self.broken))
            self.unseen_categories |= categories_of(meta) - seen
        records = []
        for number, name in enumerate(names):
            try:
                records.append(self._record(name, number, meta.get(name, {})))
            except BrokenRow as problem:
                self.broken.add(str(problem), f'video {name}')
        return records

    def _record(self, name: str, number: int, categories: dict[int, str]) -> dict:
        folder = Path(self.data_prefix['img']) / name
        frames = list_pictures(folder, SUFFIXES) if folder.is_dir() else []
        height, width = size_of_video(frames)
        images = []
        for frame, path in enumerate(frames):
            png = Path(self.data_prefix['ann']) / name / f'{path.stem}.png'
            images.append(dict(img_path=str(path), img_id=f'{name}/{path.stem}', frame_id=frame, height=height,
                               width=width, annotated=png.exists(), png_path=str(png), instances=[]))
        first = number * VOID  # object k of this video has identity first + k: unique, from 1
        unseen = [first + key for key, category in categories.items() if category in self.unseen_categories]
        return dict(video_id=number + 1, video_length=len(images), width=width, height=height, images=images,
                    first_identity=first, video_info=dict(
                        name=name, unseen=unseen, object_numbers={str(first + k): k for k in range(1, VOID)}))

    def expand_frame(self, record: dict, frame: dict) -> dict:
        """Read the PNG file of a frame."""
        frame = super().expand_frame(record, frame)
        if not frame['annotated']:
            return frame
        scan = self._scan(record)
        if frame['frame_id'] in scan.damaged:
            return dict(frame, annotated=False)
        numbers = read_index_map(frame['png_path']).numbers
        if scan.one_object:
            numbers = (numbers > 0).astype(np.uint8)
        frame.update(annotated=not gives_first_masks_alone(record['images'], scan), instances=[])
        for number in np.unique(numbers).tolist():
            if number in (0, VOID):
                continue
            instance = make_instance(record['first_identity'] + number, 0, None, encode(numbers == number))
            instance['is_first'] = scan.appearances[number][0] == frame['frame_id']
            frame['instances'].append(instance)
        if (numbers == VOID).any():
            frame['void'] = encode(numbers == VOID)
        return frame

    def _scan(self, record: dict) -> 'Scan':
        """What the PNG files of a video show; the last video that was asked for is remembered."""
        if self._scanned[0] != record['video_id']:
            self._scanned = (record['video_id'], scan_index_maps(record['images']))
        return self._scanned[1]

    def has_objects(self, record: dict) -> bool:
        """Videos of these data sets have objects; reading them all to be sure would take minutes."""
        return any(frame['annotated'] for frame in record['images'])


class Scan(NamedTuple):
    """``appearances``: frames that show an object, by its number. ``one_object``: 255 is not void but the one object,
    number 1. ``damaged``: frames whose file cannot be read, which count as not annotated."""
    appearances: dict[int, list[int]]
    one_object: bool
    damaged: frozenset[int]


def scan_index_maps(images: list[dict]) -> Scan:
    """Look through the PNG files of a video; damaged ones are logged.

    Raises:
        ValueError: a file has colours.
    """
    shown, damaged, grey = {}, set(), True
    for image in images:
        if not image['annotated']:
            continue
        try:
            found = read_index_map(image['png_path'])
        except OSError as error:
            print_log(f'cannot read {image["png_path"]}: {error}; its frame counts as not annotated', logger='current',
                      level=logging.WARNING)
            damaged.add(image['frame_id'])
            continue
        grey &= found.grey
        for number in np.unique(found.numbers).tolist():
            shown.setdefault(number, []).append(image['frame_id'])
    one_object = show_one_object(shown, grey)
    frames_of = {1: shown[VOID]} if one_object else {k: v for k, v in shown.items() if k not in (0, VOID)}
    return Scan(frames_of, one_object, frozenset(damaged))


def gives_first_masks_alone(images: list[dict], scan: Scan) -> bool:
    """Whether a video has frames without a PNG, and its PNG files show new objects and nothing else."""
    with_png = {image['frame_id'] for image in images if image['annotated']} - scan.damaged
    return (len(with_png) < len(images) and all(len(frames) == 1 for frames in scan.appearances.values())
            and with_png == {frames[0] for frames in scan.appearances.values()})


def videos_of_list(path: Path) -> list[str]:
    """The videos that a list names: one a line, or as in DAVIS 2016 a frame and its PNG a line, with their folders."""
    lines = [line.split() for line in read_name_list(path)]
    if all(len(line) == 2 and all('/' in name for name in line) for line in lines):
        return list(dict.fromkeys(Path(frame).parent.name for frame, _ in lines))
    return read_name_list(path)


def size_of_video(frames: list[Path]) -> tuple[int, int]:
    """(height, width) of the first frame that can be read.

    Raises:
        BrokenRow: there is none.
    """
    for path in frames:
        try:
            return picture_size(path)
        except OSError:
            continue  # named when it is loaded
    raise BrokenRow('video without a readable frame' if frames else 'video without frames')


def read_meta(path: Path, broken: BrokenRows) -> dict[str, dict[int, str]]:
    """By video, the category of each object of a meta.json of YouTube-VOS or MOSE, where it has one.

    Entries that cannot be used are counted in ``broken``.

    Raises:
        ValueError: the file has no `videos` by name; it is named.
    """
    videos = load_json(str(path), 'videos')['videos']
    if not isinstance(videos, dict):
        raise ValueError(f'{path}: `videos` must be an object by name, not {type(videos).__name__}')
    return {name: _categories(video, f'{path}: video {name}', broken) for name, video in videos.items()}


def _categories(video, where: str, broken: BrokenRows) -> dict[int, str]:
    """The category of each object of a video that has one."""
    objects = video.get('objects', {}) if isinstance(video, dict) else None
    if not isinstance(objects, dict):
        broken.add('entry without objects', where)
        return {}
    categories = {}
    for key, entry in objects.items():
        category = entry.get('category') if isinstance(entry, dict) else entry
        if not key.isdecimal() or len(key) > 3 or not isinstance(entry, dict) or (
                not isinstance(category, (str, type(None)))):
            broken.add('object without a number or a category', f'{where}, object {key}')
        elif category is not None:
            categories[int(key)] = category
    return categories


def categories_of(videos: dict[str, dict[int, str]]) -> set[str]:
    """All categories that :func:`read_meta` found."""
    return {category for objects in videos.values() for category in objects.values()}

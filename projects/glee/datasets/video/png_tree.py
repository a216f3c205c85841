"""Masks as palette PNG files: YouTube-VOS, MOSE, DAVIS."""
from pathlib import Path

import numpy as np
from mmdet.registry import DATASETS
from PIL import Image

from ...structures.masks import encode
from ..store.json_file import load_json
from ..store.pictures import list_folders, list_pictures, picture_size, read_name_list
from .video_dataset import VideoDataset, make_instance

VOID = 255
SUFFIXES = ('.jpg', '.jpeg', '.png')


@DATASETS.register_module()
class PNGTreeDataset(VideoDataset):
    """``{img}/{video}/{frame}.jpg`` with ``{ann}/{video}/{frame}.png``, whose palette index is the object.

    ``data_prefix=dict(img=..., ann=...)``. Every object has label 0, 'object'; the first frame in which it
    appears carries its mask as prompt (``FirstMaskPrompts``). A frame without a PNG is not ``annotated``, and none is
    where the PNG files show each object once, when it appears: such files give the first masks alone and hide the
    truth (the valid sets of YouTube-VOS and MOSE). Index 255 is void. PNG files are read when a window needs them.

    Args:
        split_file (str | None): text file with one video per line (DAVIS's ImageSets); without it all
            folders below ``img``.
        meta_file (str | None): YouTube-VOS's meta.json with the category of every object.
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
            names = read_name_list(root / self.split_file)
        else:
            names = list_folders(pictures)
        meta = {} if self.meta_file is None else load_json(str(root / self.meta_file), 'videos')['videos']
        if self.train_meta_file is not None:
            seen = categories_of(load_json(str(root / self.train_meta_file), 'videos')['videos'])
            self.unseen_categories |= categories_of(meta) - seen
        return [self._record(name, number, meta.get(name, {})) for number, name in enumerate(names)]

    def _record(self, name: str, number: int, meta: dict) -> dict:
        frames = list_pictures(Path(self.data_prefix['img']) / name, SUFFIXES)
        if not frames:
            raise ValueError(f'video {name} has no frame in {self.data_prefix["img"]}')
        height, width = picture_size(frames[0])
        images = []
        for frame, path in enumerate(frames):
            png = Path(self.data_prefix['ann']) / name / f'{path.stem}.png'
            images.append(dict(img_path=str(path), img_id=f'{name}/{path.stem}', frame_id=frame, height=height,
                               width=width, annotated=png.exists(), png_path=str(png), instances=[]))
        first = number * VOID  # object k of this video has identity first + k: unique, from 1
        unseen = [first + int(key) for key, obj in meta.get('objects', {}).items()
                  if obj['category'] in self.unseen_categories]
        return dict(video_id=number + 1, video_length=len(images), width=width, height=height, images=images,
                    first_identity=first, video_info=dict(
                        name=name, unseen=unseen, object_numbers={str(first + k): k for k in range(1, VOID)}))

    def expand_frame(self, record: dict, frame: dict) -> dict:
        """Read the PNG file of a frame."""
        frame = super().expand_frame(record, frame)
        if not frame['annotated']:
            return frame
        index_map, appearances = read_index_map(frame['png_path']), self._appearances(record)
        frame.update(annotated=not gives_first_masks_alone(record['images'], appearances), instances=[])
        for number in np.unique(index_map).tolist():
            if number in (0, VOID):
                continue
            instance = make_instance(record['first_identity'] + number, 0, None, encode(index_map == number))
            instance['is_first'] = appearances[number][0] == frame['frame_id']
            frame['instances'].append(instance)
        if (index_map == VOID).any():
            frame['void'] = encode(index_map == VOID)
        return frame

    def _appearances(self, record: dict) -> dict[int, list[int]]:
        """Frames whose PNG shows an object, by its number; the last video that was asked for is remembered."""
        if self._scanned[0] != record['video_id']:
            shown: dict[int, list[int]] = {}
            for frame in record['images']:
                if frame['annotated']:
                    for number in np.unique(read_index_map(frame['png_path'])).tolist():
                        if number not in (0, VOID):
                            shown.setdefault(number, []).append(frame['frame_id'])
            self._scanned = (record['video_id'], shown)
        return self._scanned[1]

    def has_objects(self, record: dict) -> bool:
        """Videos of these data sets have objects; reading them all to be sure would take minutes."""
        return any(frame['annotated'] for frame in record['images'])


def gives_first_masks_alone(images: list[dict], appearances: dict[int, list[int]]) -> bool:
    """Whether a video has frames without a PNG, and its PNG files show new objects and nothing else."""
    with_png = {image['frame_id'] for image in images if image['annotated']}
    return (len(with_png) < len(images) and all(len(frames) == 1 for frames in appearances.values())
            and with_png == {frames[0] for frames in appearances.values()})


def categories_of(videos: dict) -> set[str]:
    """All categories that the ``videos`` of a meta.json of YouTube-VOS name."""
    return {obj['category'] for video in videos.values() for obj in video['objects'].values()}


def read_index_map(path: str) -> np.ndarray:
    """Palette indices uint8 (H, W).

    Raises:
        ValueError: the file has colours instead of a palette.
    """
    with Image.open(path) as picture:
        if picture.mode not in ('P', 'L', '1'):
            raise ValueError(f'{path} is a {picture.mode} picture; object indices need a palette or grey PNG')
        return np.asarray(picture, np.uint8)

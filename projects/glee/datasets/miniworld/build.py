"""Writes a whole MiniWorld."""
import json
import shutil
from pathlib import Path

from .formats import write_json
from .world import take_pictures
from .write_coco import write_coco, write_coco_image
from .write_lvis import write_lvis
from .write_objects365 import write_objects365, write_objects365_image
from .write_refcoco import write_refcoco, write_refcoco_image

VERSION = 1  # of the world; raise it whenever the same seed writes something else
MARKER = 'miniworld.json'
FOLDERS = ('annotations', 'coco', 'lvis', 'Objects365V2')  # all that is ever written or removed

FIRST_VAL_ID = 500001  # image ids; val must not repeat a train id, RefCOCO holds both
FIRST_VAL_ANN_ID = 9000001


class MiniWorldError(ValueError):
    """The world cannot be written as asked."""


def default_val_images(images: int) -> int:
    """An eighth of the training images, at least 8."""
    return max(8, images // 8)


def build_miniworld(out, images: int, videos: int = 0, seed: int = 0, val_images: int = None,
                    overwrite: bool = False, progress=None) -> bool:
    """Writes a MiniWorld, or leaves the same one alone where it is already complete.

    Args:
        out (str | Path): folder to write to.
        images (int): training images of each source of images (COCO, Objects365).
        videos (int): must be 0 for now.
        seed (int): the same seed writes the same bytes.
        val_images (int): validation images of each source, None for `default_val_images`.
        overwrite (bool): replace another world in `out`.
        progress (Callable): wraps (iterable, description, total), for a progress bar.

    Returns:
        bool: False if the same world was already there.

    Raises:
        MiniWorldError: for numbers that make no world, for videos, and if `out` holds anything
            but this world or an unfinished one and `overwrite` is off.
    """
    val_images = default_val_images(images) if val_images is None else val_images
    _check(images, videos, seed, val_images)
    arguments = {'version': VERSION, 'images': images, 'val_images': val_images, 'videos': videos,
                 'seed': seed}
    out = Path(out)
    if not _prepare(out, arguments, overwrite):
        return False
    write_json(out / MARKER, dict(arguments, complete=False))
    progress = progress or _silent
    _write_coco_sources(out, images, val_images, seed, progress)
    _write_objects365_sources(out, images, val_images, seed, progress)
    write_json(out / MARKER, dict(arguments, complete=True))
    return True


def _silent(iterable, description: str, total: int):
    return iterable


def _check(images: int, videos: int, seed: int, val_images: int) -> None:
    if videos < 0:
        raise MiniWorldError(f'videos must not be negative, got {videos}')
    if videos:
        raise MiniWorldError(f'videos={videos}: MiniWorld writes no videos yet, use videos=0')
    if not 1 <= images < FIRST_VAL_ID:
        raise MiniWorldError(f'images must be in 1..{FIRST_VAL_ID - 1}, got {images}')
    if val_images < 1:
        raise MiniWorldError(f'val_images must be at least 1, got {val_images}')
    if seed < 0:
        raise MiniWorldError(f'seed must not be negative, got {seed}')


def _prepare(out: Path, arguments: dict, overwrite: bool) -> bool:
    """Makes room in `out`; False if there is nothing to do."""
    if out.exists() and not out.is_dir():
        raise MiniWorldError(f'out={out} is a file, name a folder')
    if not out.exists() or not any(out.iterdir()):
        return True
    marker = _read_marker(out / MARKER)
    if marker == dict(arguments, complete=True) and not overwrite:
        return False
    unfinished = marker is not None and not marker['complete']
    if not overwrite and not unfinished:
        held = f'another MiniWorld ({marker})' if marker else 'files that are no MiniWorld'
        raise MiniWorldError(f'out={out} holds {held}: name another folder, or pass --overwrite to '
                             f'replace {", ".join(FOLDERS)} in it')
    for folder in FOLDERS:
        if (out / folder).is_dir():
            shutil.rmtree(out / folder)
    return True


def _read_marker(path: Path):
    """The arguments of the world that is there, None if there is none."""
    if not path.is_file():
        return None
    try:
        marker = json.loads(path.read_text())
        return marker if 'complete' in marker else None
    except (ValueError, TypeError) as error:
        raise MiniWorldError(
            f'{path} is not the marker of a MiniWorld ({error}): remove it first') from error


def _write_coco_sources(out: Path, images: int, val_images: int, seed: int, progress) -> None:
    """COCO, LVIS and RefCOCO/+/g share their images, as the real ones do."""
    splits = {}
    for split, count, firsts in (('train', images, (1, 1)),
                                 ('val', val_images, (FIRST_VAL_ID, FIRST_VAL_ANN_ID))):
        pictures = take_pictures(f'coco_{split}', seed, count, *firsts)
        splits[split] = []
        for picture in progress(pictures, f'COCO {split}', count):
            data = picture.encode()
            write_coco_image(out, split, picture, data)
            write_refcoco_image(out, picture, data)
            splits[split].append(picture)
        write_coco(out, split, splits[split])
    write_lvis(out, splits['train'], splits['val'])
    write_refcoco(out, splits['train'], splits['val'])


def _write_objects365_sources(out: Path, images: int, val_images: int, seed: int, progress) -> None:
    for split, count, firsts in (('train', images, (1, 1)),
                                 ('val', val_images, (FIRST_VAL_ID, FIRST_VAL_ANN_ID))):
        taken = take_pictures(f'objects365_{split}', seed, count, *firsts)
        pictures = []
        for picture in progress(taken, f'Objects365 {split}', count):
            write_objects365_image(out, split, picture, picture.encode())
            pictures.append(picture)
        write_objects365(out, split, pictures)

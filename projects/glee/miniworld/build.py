"""Writes a whole MiniWorld."""
import json
import shutil
from pathlib import Path

from .formats.files import write_json
from .image_sources import IMAGE_SOURCES
from .plan import FIRST_VAL_ID, FIRST_VAL_VIDEO_ID, Plan
from .video_sources import VIDEO_FOLDERS, VIDEO_SOURCES

VERSION = 1  # of the world; raise it whenever the same seed writes something else
MARKER = 'miniworld.json'
FOLDERS = ('annotations', 'coco', 'lvis', 'Objects365V2', 'openimages', 'bdd100k', 'visual_genome', 'GRIT20M', 'UVO',
           'SA1B_scaleup', 'omnilabel', 'odinw', *VIDEO_FOLDERS)  # all that is ever written or removed
SOURCES = {**IMAGE_SOURCES, **VIDEO_SOURCES}
DEFAULT_SOURCES = ('coco', 'objects365')  # and all of videos, where there are videos


class MiniWorldError(ValueError):
    """The world cannot be written as asked."""


def default_val_images(images: int) -> int:
    """An eighth of the training images, at least 8."""
    return max(8, images // 8)


def default_val_videos(videos: int) -> int:
    """A quarter of the training videos, at least 4."""
    return max(4, videos // 4)


def build_miniworld(out, images: int, videos: int = 0, seed: int = 0, val_images: int = None,
                    overwrite: bool = False, progress=None, sources=None, val_videos: int = None) -> bool:
    """Writes a MiniWorld, or leaves the same one alone where it is already complete.

    Args:
        out (str | Path): folder to write to.
        images (int): training images of each source of images (COCO, Objects365).
        videos (int): training videos of each source of videos.
        seed (int): the same seed writes the same bytes.
        val_images (int): validation images of each source, None for `default_val_images`.
        overwrite (bool): replace another world in `out`.
        progress (Callable): wraps (iterable, description, total), for a progress bar.
        sources (Sequence[str]): keys of `SOURCES` to write, None for `DEFAULT_SOURCES` and, if
            `videos` is not 0, all sources of videos. What one source holds does not depend on the
            others.
        val_videos (int): validation videos of each source, None for `default_val_videos`.

    Returns:
        bool: False if the same world was already there.

    Raises:
        MiniWorldError: for numbers and sources that make no world, and if `out` holds anything but
            this world or an unfinished one and `overwrite` is off.
    """
    val_images = default_val_images(images) if val_images is None else val_images
    val_videos = default_val_videos(videos) if val_videos is None else val_videos
    default = DEFAULT_SOURCES + (tuple(VIDEO_SOURCES) if videos else ())
    sources = default if sources is None else tuple(sources)
    _check(images, videos, seed, val_images, val_videos, sources)
    sources = tuple(name for name in SOURCES if name in sources)
    arguments = {'version': VERSION, 'images': images, 'val_images': val_images, 'videos': videos,
                 'seed': seed}
    if videos:
        arguments['val_videos'] = val_videos
    if sources != DEFAULT_SOURCES:
        arguments['sources'] = list(sources)
    out = Path(out)
    if not _prepare(out, arguments, overwrite):
        return False
    write_json(out / MARKER, dict(arguments, complete=False))
    plan = Plan(out, images, val_images, videos, val_videos, seed, progress or _silent)
    for source in sources:
        SOURCES[source](plan)
    write_json(out / MARKER, dict(arguments, complete=True))
    return True


def _silent(iterable, description: str, total: int):
    return iterable


def _check(images: int, videos: int, seed: int, val_images: int, val_videos: int, sources: tuple) -> None:
    unknown = [name for name in sources if name not in SOURCES]
    if unknown or not sources:
        raise MiniWorldError(f'sources={unknown} are unknown, choose from {", ".join(SOURCES)}')
    if 'refcoco_mixed' in sources and 'coco' not in sources:
        raise MiniWorldError('source refcoco_mixed mixes files of source coco: name both')
    if not 0 <= videos < FIRST_VAL_VIDEO_ID:
        raise MiniWorldError(f'videos must be in 0..{FIRST_VAL_VIDEO_ID - 1}, got {videos}')
    filmed = [name for name in sources if name in VIDEO_SOURCES]
    if filmed and not videos:
        raise MiniWorldError(f'videos=0, but these sources are videos: {", ".join(filmed)}')
    if val_videos < 1 and videos:
        raise MiniWorldError(f'val_videos must be at least 1, got {val_videos}')
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

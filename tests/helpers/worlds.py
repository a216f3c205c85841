"""The MiniWorlds that all tests share, and a copy for a test that changes one."""
import os
import shutil
from pathlib import Path

from projects.glee.miniworld import SOURCES, build_miniworld

# Every source; conftest's fixture ``world``. In the two videos of YouTube-VOS' val, seed 5 has an object of a category
# that its train split has, and one of a category that it lacks.
SEED, IMAGES, VAL_IMAGES, VIDEOS, VAL_VIDEOS = 5, 9, 4, 2, 2
# COCO with LVIS and RefCOCO, and Objects365, with enough pictures for statistics; fixture ``picture_world``.
MANY_IMAGES, MANY_VAL_IMAGES = 60, 48


def build_world(root: Path) -> Path:
    """A world of all sources, small enough to train and test on; returns its folder."""
    assert build_miniworld(root, IMAGES, VIDEOS, SEED, VAL_IMAGES, val_videos=VAL_VIDEOS, sources=SOURCES)
    return root


def build_picture_world(root: Path) -> Path:
    """A world of many pictures, sources COCO and Objects365 only; returns its folder."""
    assert build_miniworld(root, MANY_IMAGES, seed=SEED, val_images=MANY_VAL_IMAGES)
    return root


def files_of(world: Path) -> dict[str, tuple[int, int]]:
    """Size and time of the last change of every file, by its path below the world."""
    states = {path.relative_to(world): path.stat() for path in sorted(world.rglob('*')) if path.is_file()}
    return {str(path): (state.st_size, state.st_mtime_ns) for path, state in states.items()}


def own_copy(world: Path, folder: Path, *changed: str) -> Path:
    """The world once more below ``folder``, for a test that writes to the top folders ``changed`` of it.

    Those are copied; the others are links to the world of all tests.
    """
    folder.mkdir(parents=True)
    for path in world.iterdir():
        if path.name in changed:
            shutil.copytree(path, folder / path.name)
        else:
            os.symlink(path, folder / path.name)
    return folder

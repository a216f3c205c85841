"""Writes the MiniWorld of questions: pictures in the layout of ReasonSeg, videos of look-alikes in that of MeViS."""
from pathlib import Path

from .build import MiniWorldError
from .formats.reason_seg import write_reason_seg
from .formats.rvos import write_mevis
from .formats.vos import frame_davis
from .plan import Plan
from .world.look_alikes import LOOK_ALIKES, refer_to_look_alikes
from .world.reasoning import PUZZLING


def build_reasoning_world(out, images: int, val_images: int, seed: int = 0, progress=None, videos: int = 0,
                          val_videos: int = 0) -> None:
    """Writes the world; none of its pictures is in the other MiniWorld of the same seed.

    Args:
        out (str | Path): folder, which must not hold what is written: ``ReasonSeg``, ``look_alikes``.
        images, val_images (int): pictures to train and test on, each with up to four questions; no ``ReasonSeg``
            without both.
        seed (int): the same seed writes the same bytes.
        progress (Callable): wraps (iterable, description, total), for a progress bar.
        videos, val_videos (int): of look-alikes that pass each other, each with two sentences about either; no
            ``look_alikes`` without both.

    Raises:
        MiniWorldError: a folder is taken, or a number is not positive where its kind is written.
    """
    out, folders = Path(out), []
    for name, numbers in (('ReasonSeg', (images, val_images)), ('look_alikes', (videos, val_videos))):
        if any(numbers):
            folders.append(name)
            if min(numbers) < 1:
                raise MiniWorldError(f'{name}: {numbers[0]} to train and {numbers[1]} to test on: each must be at '
                                     'least 1')
    if not folders:
        raise MiniWorldError('neither pictures nor videos are asked for')
    for name in folders:
        if (out / name).exists():
            raise MiniWorldError(f'{out}/{name} is there already: name another folder or remove it')
    plan = Plan(out, images, val_images, videos, val_videos, seed,
                progress or (lambda items, description, total: items))
    for split in ('train', 'val'):
        if images:
            plan.draw('reasoning', split, write_reason_seg, PUZZLING)
        if videos:
            below = f'look_alikes/{"valid_u" if split == "val" else split}/JPEGImages'
            filmed = plan.film('look_alikes', split, lambda video, frame: f'{below}/{frame_davis(video, frame)}',
                               LOOK_ALIKES)
            write_mevis(plan.root, split, filmed, 'look_alikes', refer_to_look_alikes)

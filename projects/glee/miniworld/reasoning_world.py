"""Writes the MiniWorld of questions: pictures in the layout of ReasonSeg."""
from pathlib import Path

from .build import MiniWorldError
from .formats.reason_seg import write_reason_seg
from .plan import Plan
from .world.reasoning import PUZZLING


def build_reasoning_world(out, images: int, val_images: int, seed: int = 0, progress=None) -> None:
    """Writes the world; none of its pictures is in the other MiniWorld of the same seed.

    Args:
        out (str | Path): folder, which must not hold a ``ReasonSeg``.
        images, val_images (int): pictures to train and test on, each with up to four questions.
        seed (int): the same seed writes the same bytes.
        progress (Callable): wraps (iterable, description, total), for a progress bar.

    Raises:
        MiniWorldError: the folder is taken, or a number is not positive.
    """
    out = Path(out)
    if min(images, val_images) < 1:
        raise MiniWorldError(f'images={images}, val_images={val_images}: each must be at least 1')
    if (out / 'ReasonSeg').exists():
        raise MiniWorldError(f'{out}/ReasonSeg is there already: name another folder or remove it')
    plan = Plan(out, images, val_images, 0, 0, seed, progress or (lambda items, description, total: items))
    for split in ('train', 'val'):
        plan.draw('reasoning', split, write_reason_seg, PUZZLING)

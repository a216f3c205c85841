"""Writes the MiniWorld of questions: pictures in the layout of ReasonSeg, videos in that of MeViS."""
from pathlib import Path

from .build import MiniWorldError
from .formats.reason_seg import write_reason_seg
from .formats.rvos import write_mevis
from .formats.vos import frame_davis
from .plan import Plan
from .world.look_alikes import LOOK_ALIKES, refer_to_look_alikes
from .world.reasoning import PUZZLING
from .world.stop_and_go import STOP_AND_GO, refer_to_paces

VIDEO_SETS = {  # folder and streams of a set: how its videos are drawn, and what is said about them
    'look_alikes': (LOOK_ALIKES, refer_to_look_alikes),
    'stop_and_go': (STOP_AND_GO, refer_to_paces),
}


def build_reasoning_world(out, images: int, val_images: int, seed: int = 0, progress=None, videos: int = 0,
                          val_videos: int = 0, video_sets=tuple(VIDEO_SETS)) -> None:
    """Writes the world; none of its pictures is in the other MiniWorld of the same seed.

    Args:
        out (str | Path): folder, which must not hold what is written: ``ReasonSeg`` and ``video_sets``.
        images, val_images (int): pictures to train and test on, each with up to four questions; no ``ReasonSeg``
            without both.
        seed (int): the same seed writes the same bytes.
        progress (Callable): wraps (iterable, description, total), for a progress bar.
        videos, val_videos (int): of each set of videos; none without both.
        video_sets (Sequence[str]): of ``VIDEO_SETS``. ``look_alikes``: two that look the same pass each other, with two
            sentences about either; ``stop_and_go``: three that move at different times, with two sentences about each.

    Raises:
        MiniWorldError: a folder is taken, there is no such set, or a number is not positive where its kind is written.
    """
    out, folders = Path(out), []
    unknown = set(video_sets) - VIDEO_SETS.keys()
    if unknown:
        raise MiniWorldError(f'video_sets: unknown {sorted(unknown)}, choose from {", ".join(VIDEO_SETS)}')
    for name, numbers in (('ReasonSeg', (images, val_images)), *((name, (videos, val_videos)) for name in video_sets)):
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
        for name in folders:
            if name in VIDEO_SETS:
                _film(plan, split, name)


def _film(plan: Plan, split: str, name: str) -> None:
    """Writes a split of a set of videos."""
    sampler, refer = VIDEO_SETS[name]
    below = f'{name}/{"valid_u" if split == "val" else split}/JPEGImages'
    filmed = plan.film(name, split, lambda video, frame: f'{below}/{frame_davis(video, frame)}', sampler)
    write_mevis(plan.root, split, filmed, name, refer)

"""Play a user who clicks on an object in the middle of a video, lets it be tracked both ways and corrects it.

Example:
    python tools/analysis_tools/interactive_tracking_report.py configs/glee/mini/glee_mini_vos.py \\
        work_dirs/quickstart/full/clips/iter_2000.pth --cfg-options data_root=data/miniworld_videos/

The videos are those of the config's test set. Of every object the frame in which most of it is seen gets one click
at its deepest pixel; each correction is a click, where the error is deepest, on the frame with the worst J.
Prints, as JSON, J&F over all annotated frames (but that of the first click) after 0, 1, ... corrections.
"""
import json
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

import numpy as np
from mmdet.registry import DATASETS
from rich.progress import track

from projects.glee.apis import VideoSession, init_model
from projects.glee.engine.runner import run_config
from projects.glee.evaluation.functional.j_and_f import contour_accuracy, region_similarity
from projects.glee.prompts.click_simulation import ClickSimulator
from projects.glee.structures.masks import decode
from projects.glee_cli.configs.cfg_options import DictAction
from projects.glee_cli.configs.missing_data import check_data
from projects.glee_cli.exits import one_line_errors


def read_objects(dataset, index: int) -> tuple[list[Path], dict[int, dict[int, np.ndarray]]]:
    """Paths of the frames of a video, and per object its bool masks (H, W) by annotated frame."""
    record = dataset.get_data_info(index)
    frames = dataset.frames_of(record, range(record['video_length']))
    shape = (record['height'], record['width'])
    annotated = [time for time, frame in enumerate(frames) if frame['annotated']]
    ids = {instance['instance_id'] for time in annotated for instance in frames[time]['instances']}
    objects = {identity: {time: np.zeros(shape, bool) for time in annotated} for identity in sorted(ids)}
    for time in annotated:
        for instance in frames[time]['instances']:
            objects[instance['instance_id']][time] = decode(instance['mask'], shape)
    return [Path(frame['img_path']) for frame in frames], objects


def correct(session: VideoSession, object_id: int, wanted: dict[int, np.ndarray], first: int) -> None:
    """One click on the worst of the frames in which the object is seen."""
    seen = [frame for frame, mask in wanted.items() if mask.any() and frame != first]
    if not seen:
        return
    worst = min(seen, key=lambda frame: region_similarity(session.mask(object_id, frame), wanted[frame]))
    click = ClickSimulator(wanted[worst]).next(session.mask(object_id, worst))
    if click is not None:
        session.refine(object_id, worst, points=[(click.x, click.y, 1 if click.positive else -1)])


def score(session: VideoSession, object_id: int, wanted: dict[int, np.ndarray], first: int) -> float:
    """Mean of J and F over the frames but the first clicked one."""
    pairs = [(session.mask(object_id, frame), mask) for frame, mask in wanted.items() if frame != first]
    return float(np.mean([(region_similarity(*pair) + contour_accuracy(*pair)) / 2 for pair in pairs]))


def play(session: VideoSession, wanted: dict[int, np.ndarray], corrections: int) -> list[float] | None:
    """J&F of one object of the open video after 0, 1, ... corrections; None if there is nothing to score."""
    first = max(wanted, key=lambda frame: wanted[frame].sum())
    click = ClickSimulator(wanted[first]).next(np.zeros_like(wanted[first]))
    if click is None or len(wanted) < 2:
        return None
    found, scores = session.add(first, points=[(click.x, click.y)]), []
    for number in range(corrections + 1):
        if number:
            correct(session, found.id, wanted, first)
        for _ in session.track():
            pass
        scores.append(score(session, found.id, wanted, first))
    return scores


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('config', help='a test config of videos with masks')
    parser.add_argument('checkpoint', help='weights')
    parser.add_argument('--corrections', type=int, default=1, help='clicks after the first (default: 1)')
    parser.add_argument('--videos', type=int, help='so many of the first videos (default: all)')
    parser.add_argument('--scale', type=int, nargs=2, default=[10000, 160], metavar=('LONG', 'SHORT'),
                        help='longest and shortest side of the resized frames, px (default: 10000 160)')
    parser.add_argument('--carve-radius', type=float, default=0.025, help='of the session (default: 0.025)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, help='as of tools/test.py')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with one_line_errors():
        cfg = run_config.load_config(Namespace(
            config=args.config, work_dir=None, cfg_options=args.cfg_options, launcher='none', local_rank=0))
        check_data(cfg, training=False)
    model = init_model(cfg, args.checkpoint)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    session, scores = VideoSession(model, scale=tuple(args.scale), carve_radius=args.carve_radius), []
    for index in track(range(min(args.videos or len(dataset), len(dataset))), 'videos'):
        paths, objects = read_objects(dataset, index)
        for wanted in objects.values():
            session.open(paths)
            scores.append(play(session, wanted, args.corrections))
    scores = np.array([values for values in scores if values is not None])
    if not len(scores):
        raise SystemExit(f'{args.config}: nothing was scored, since no object has masks in two annotated frames; where '
                         'the owners of a data set publish no masks, or first masks alone, no frame is annotated')
    print(json.dumps({'objects': len(scores), 'J&F': [round(float(value), 4) for value in scores.mean(0)]}))


if __name__ == '__main__':
    main()

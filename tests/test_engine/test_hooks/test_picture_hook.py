"""--show-dir of tests on pictures, videos and rounds of clicks."""
from pathlib import Path

import cv2
import pytest
import torch
from config_runs import load_mini, load_video
from PIL import Image

from projects.glee.engine.runner import run_config


def run_drawn(cfg, **options):
    """Test with pictures in ``pictures`` of the run's folder; the files that are there, by their path."""
    cfg.default_hooks.visualization.update(draw=True, test_out_dir='pictures', **options)
    torch.manual_seed(0)
    runner = run_config.build_runner(cfg)
    runner.test()
    folder = f'{runner.work_dir}/{runner.timestamp}/pictures'
    return {str(path.relative_to(folder)): path for path in sorted(Path(folder).rglob('*.*'))}


def test_pictures_of_a_test_are_truth_beside_prediction(world, tmp_path):
    files = run_drawn(load_mini('glee_mini_coco', world, tmp_path))
    assert len(files) == 4
    for path in files.values():
        with Image.open(path) as picture, Image.open(world / 'coco/val2017' / path.name) as original:
            factor = -(-640 // max(original.size))
            assert picture.size == (2 * original.width * factor + 8, original.height * factor)


def test_videos_of_a_test_are_mp4_or_frames(world, tmp_path):
    files = run_drawn(load_video('mini_vos', world, tmp_path / 'mp4'))
    names = {path.name for path in (world / 'DAVIS/Annotations/480p').iterdir()}
    assert len(files) == 2 and {name.removesuffix('.mp4') for name in files} <= names
    name = next(iter(files)).removesuffix('.mp4')
    video, count = cv2.VideoCapture(str(files[f'{name}.mp4'])), 0
    while video.read()[0]:
        count += 1
    frames = len(list((world / 'DAVIS/JPEGImages/480p' / name).iterdir()))
    assert count == frames
    drawn = run_drawn(load_video('mini_vos', world, tmp_path / 'frames'), frames=True)
    assert len([path for path in drawn if path.startswith(f'{name}/')]) == frames


@pytest.mark.parametrize('rounds', [dict(point=2, box=1)])
def test_rounds_of_clicks_have_a_picture_per_kind(world, tmp_path, rounds):
    cfg = load_mini('glee_mini_interactive', world, tmp_path)
    cfg.test_cfg.rounds = dict(rounds)
    files = run_drawn(cfg)
    kinds = [name.rpartition('_')[2] for name in files]
    assert kinds.count('point.jpg') == kinds.count('box.jpg') == len(files) / 2 > 0

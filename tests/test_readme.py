"""What snippets of the README and of the docs leave, on a model with random weights; test_docs has all commands."""
import json
import re
import shlex

import numpy as np
import pytest
import torch
from config_runs import load
from mmdet.registry import MODELS
from paths import ROOT
from PIL import Image

from projects.glee.visualization.video_writer import VideoWriter
from projects.glee_cli import main

README = (ROOT / 'README.md').read_text()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A picture, a folder of pictures, a video of 14 frames and a checkpoint, by the README's names."""
    folder = tmp_path_factory.mktemp('readme')
    pictures = np.random.default_rng(0).integers(0, 256, (14, 64, 96, 3), dtype=np.uint8)
    (folder / 'photos').mkdir()
    for name in ('street.jpg', 'photos/a.jpg', 'photos/b.jpg'):
        Image.fromarray(pictures[0]).save(folder / name)
    writer = VideoWriter(folder / 'street.mp4', 5)
    for picture in pictures:
        writer.write(picture)
    writer.close()
    weights = folder / 'work_dirs/quickstart/glee_mini.pth'
    weights.parent.mkdir(parents=True)
    torch.save(dict(state_dict=MODELS.build(load('glee_mini_coco', folder).model).state_dict()), weights)
    return folder


def block(language, word, page=README):
    """The first block of a language that holds a word."""
    return next(text for text in re.findall(rf'```{language}\n(.*?)```', page, re.DOTALL) if word in text)


def test_python(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    exec(compile(block('python', 'GLEEInferencer'), 'README.md', 'exec'), {})
    shown = capsys.readouterr().out.splitlines()
    assert sum(line.startswith('photos/') for line in shown) == 2
    assert sum(re.match(r'\d+ \[', line) is not None for line in shown) == 14
    assert all((folder / name).stat().st_size for name in ('out.jpg', 'tracked.mp4', 'tracks.json'))


def test_find(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    known = {}
    exec(compile(block('python', 'stuff=', (ROOT / 'docs/find.md').read_text()), 'find.md', 'exec'), known)
    assert known['ring'].names == ['the ring on the left'] and known['whole'].segment_map.shape == (64, 96)
    assert sum(line.startswith('photos/') for line in capsys.readouterr().out.splitlines()) == 2


def test_other_tools(folder, monkeypatch):
    monkeypatch.chdir(folder)
    command = block('bash', '--labelme', (ROOT / 'docs/find.md').read_text()).replace('\\\n', '')
    assert main(shlex.split(command)[1:]) == 0
    for name in ('photos/a.json', 'photos/b.json', 'found_coco.json', 'yolo/labels/a.txt', 'yolo/data.yaml',
                 'yolo_boxes/labels/b.txt'):
        assert (folder / name).is_file(), name
    assert len(json.loads((folder / 'found_coco.json').read_text())['images']) == 2


def test_get_started(folder, monkeypatch):
    monkeypatch.chdir(folder)
    page = (ROOT / 'docs/get_started.md').read_text()
    exec(compile(block('python', 'GLEEInferencer', page), 'get_started.md', 'exec'), {})
    assert block('bash', 'glee predict', page) == block('bash', 'glee predict', (ROOT / 'docs/find.md').read_text())


def test_clicks(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    known = {}
    exec(compile(block('python', 'open_image', (ROOT / 'docs/PROMPTS.md').read_text()), 'PROMPTS.md', 'exec'), known)
    assert len(known['many']) == 4 and known['ids'].shape == (64, 96) and len(capsys.readouterr().out.splitlines()) == 2


def test_videos(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    known = {}
    exec(compile(block('python', 'open_video', (ROOT / 'docs/video.md').read_text()), 'video.md', 'exec'), known)
    shown = [int(line.split()[0]) for line in capsys.readouterr().out.splitlines() if re.match(r'\d+ \[', line)]
    assert shown == [*range(8, 14), *range(7, -1, -1)] and known['mask'].shape == (64, 96)
    assert (folder / 'tracked.mp4').stat().st_size and (folder / 'tracks.json').stat().st_size


def test_a_video_from_back_to_front(folder, monkeypatch):
    monkeypatch.chdir(folder)
    note, track = block('bash', 'clicks.json', (ROOT / 'docs/video.md').read_text()).replace('\\\n', '').splitlines()
    (folder / 'clicks.json').write_text(shlex.split(note)[1])
    assert main(shlex.split(track)[1:]) == 0
    frames = [entry['frame'] for entry in json.loads((folder / 'back.json').read_text())]
    assert frames == [*range(13, -1, -1)] and (folder / 'back.mp4').stat().st_size

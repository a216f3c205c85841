"""glee label: what it finds is what the inferencer finds, and a stopped run ends with the same file."""
import importlib.util
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import torch
from image_files import save_image
from labelling_run import BrightestHalf
from paths import HELPERS, ROOT
from pycocotools.coco import COCO

from projects.glee.apis import GLEEInferencer, ImageResult, init_model
from projects.glee.apis.labelling import label_pictures
from projects.glee.datasets.store.pictures import list_pictures
from projects.glee.structures.masks import encode
from projects.glee_cli.exits import OK, SOME_FAILED, WRONG_USE
from projects.glee_cli.label import read_thresholds
from projects.glee_cli.program import main

THRESHOLDS = dict(cat=0.5, dog=0.2)


class OneCatOneDog:
    """Finds a cat of score 0.6 and a dog of 0.3 in every picture; ``dies_at`` is the picture at which it is killed."""

    def __init__(self, dies_at=None):
        self.dies_at, self.asked, self.errors = dies_at, [], {}

    def __call__(self, paths, names, score_thr, batch_size, stream):
        assert names == ['cat', 'dog'] and score_thr == 0.2 and stream
        for path in paths:
            if self.dies_at and path.endswith(self.dies_at):
                raise KeyboardInterrupt
            self.asked.append(path)
            mask = np.zeros((4, 6), bool)
            mask[1:3, 2:5] = True
            yield ImageResult(path, (4, 6), ['cat', 'dog'], np.array([[2, 1, 5, 3]] * 2, np.float32),
                              np.array([.6, .3], np.float32), [encode(mask)] * 2)


def label(glee, folder, out, thresholds=THRESHOLDS):
    return label_pictures(lambda: glee, [folder / f'{number}.jpg' for number in range(5)], folder, thresholds, out, {})


def test_each_name_has_its_threshold_and_pycocotools_reads_the_file(tmp_path):
    assert label(OneCatOneDog(), tmp_path, tmp_path / 'out.json', dict(cat=0.7, dog=0.2)) == {}
    coco = COCO(str(tmp_path / 'out.json'))
    assert [coco.cats[row['category_id']]['name'] for row in coco.anns.values()] == ['dog'] * 5
    row = coco.anns[3]
    assert row['bbox'] == [2, 1, 3, 2] and row['area'] == 6 == coco.annToMask(row).sum() and row['image_id'] == 3
    assert row['score'] == 0.3 and coco.imgs[3]['file_name'] == '2.jpg'


def test_a_run_that_is_killed_three_times_ends_with_the_same_file(tmp_path):
    label(OneCatOneDog(), tmp_path, tmp_path / 'whole.json')
    out, asked = tmp_path / 'out.json', []
    for dies_at in ('1.jpg', '3.jpg', '4.jpg'):
        glee = OneCatOneDog(dies_at)
        with pytest.raises(KeyboardInterrupt):
            label(glee, tmp_path, out)
        asked += glee.asked
        with open(tmp_path / 'out.json.part', 'a') as file:  # killed while the next line was being written
            file.write('{"file_name": "3.jp')
        assert not out.exists()
    last = OneCatOneDog()
    label(last, tmp_path, out)
    assert asked + last.asked == [str(tmp_path / f'{number}.jpg') for number in range(5)]  # nothing is done twice
    assert out.read_bytes() == (tmp_path / 'whole.json').read_bytes() and not (tmp_path / 'out.json.part').exists()


def save_pictures(folder, count):
    for number in range(count):
        save_image(folder / f'{number}.png', 6 + number % 3, 5, seed=number)
    (folder / 'broken.jpg').write_bytes(b'no picture')
    return folder


def bright_and_dark(folder, out, **options):
    return label_pictures(partial(BrightestHalf, options.pop('pause', 0.)), list_pictures(folder), folder,
                          dict(bright=0.2, dark=0.1), out, {}, **options)


def lines_of(path):
    return path.read_bytes().count(b'\n') if path.exists() else 0


def test_a_process_that_is_killed_with_9_at_random_moments_ends_with_the_same_file(tmp_path):
    """The same at 500 pictures by hand: docs/finetune.md."""
    folder, out, part = save_pictures(tmp_path / 'pics', 60), tmp_path / 'out.json', tmp_path / 'out.json.part'
    assert list(bright_and_dark(folder, tmp_path / 'whole.json')) == [str(folder / 'broken.jpg')]
    finished, start = [0], multiprocessing.get_context('fork').Process
    for seed in range(3):
        process = start(target=bright_and_dark, args=(folder, out), kwargs=dict(pause=0.005))
        process.start()
        while lines_of(part) < finished[-1] + 3:
            time.sleep(0.002)
        time.sleep(random.Random(seed).uniform(0, 0.03))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL and not out.exists()
        finished.append(lines_of(part))
    assert finished == sorted(finished) and finished[-1] < 61  # it goes on and never begins again
    bright_and_dark(folder, out)
    assert out.read_bytes() == (tmp_path / 'whole.json').read_bytes() and not part.exists()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec('ray') is None, reason='Ray is not installed (requirements/scale.txt)')
def test_ray_with_an_actor_killed_in_the_middle_gives_the_file_of_one_process(tmp_path):
    folder, out = save_pictures(tmp_path / 'pics', 40), tmp_path / 'out.json'
    errors = bright_and_dark(folder, tmp_path / 'whole.json')
    (tmp_path / 'pids').mkdir()
    paths = [str(ROOT), str(HELPERS), *filter(None, [os.environ.get('PYTHONPATH')])]
    program = subprocess.Popen(
        [sys.executable, HELPERS / 'labelling_run.py', folder, out, '--pause', '0.4', '--ray', 'local', '--workers',
         '2', '--pids', tmp_path / 'pids'], env=dict(os.environ, PYTHONPATH=os.pathsep.join(paths)),
        stdout=subprocess.PIPE, text=True)
    actors = []
    while (len(actors) < 2 or lines_of(tmp_path / 'out.json.part') < 5) and program.poll() is None:
        time.sleep(0.05)
        actors = [int(path.name) for path in (tmp_path / 'pids').iterdir()]
    os.kill(actors[0], signal.SIGKILL)
    assert lines_of(tmp_path / 'out.json.part') < len(list(folder.iterdir())) // 2
    assert f'{len(errors)} cannot be read' in program.communicate()[0] and program.returncode == 0
    assert out.read_bytes() == (tmp_path / 'whole.json').read_bytes()


def test_lines_of_other_settings_are_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        label(OneCatOneDog('3.jpg'), tmp_path, tmp_path / 'out.json')
    with pytest.raises(ValueError, match='out.json.part was begun with other settings'):
        label(OneCatOneDog(), tmp_path, tmp_path / 'out.json', dict(cat=0.5, dog=0.3))


def test_the_program_labels_as_the_inferencer_finds(tmp_path, world, capsys):
    torch.manual_seed(0)
    model = init_model(str(ROOT / 'configs/glee/mini/glee_mini_coco.py'))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'w.pth')
    pictures = sorted((world / 'coco/val2017').glob('*.jpg'))[:2]
    (tmp_path / 'pics/more').mkdir(parents=True)
    shutil.copy(pictures[0], tmp_path / 'pics/a.jpg')
    shutil.copy(pictures[1], tmp_path / 'pics/more/b.jpg')
    (tmp_path / 'pics/broken.jpg').write_bytes(b'no picture')
    words = ['label', str(tmp_path / 'pics'), '--names', 'star:0.002', 'ring', '--score-thr', '0.001', '--model',
             'glee_mini', '--weights', str(tmp_path / 'w.pth'), '--out', str(tmp_path / 'out.json')]
    assert main(words) == SOME_FAILED and 'broken.jpg' in capsys.readouterr().err
    (tmp_path / 'pics/broken.jpg').unlink()
    assert main(words) == OK
    content = json.loads((tmp_path / 'out.json').read_text())
    assert [row['file_name'] for row in content['images']] == ['a.jpg', 'more/b.jpg']
    glee = GLEEInferencer('glee_mini', tmp_path / 'w.pth')
    found = [(number, name, round(float(score), 4)) for number, path in enumerate(pictures, 1)
             for result in glee(str(path), names=['star', 'ring'], score_thr=0.001)
             for name, score in zip(result.names, result.scores) if name == 'ring' or score >= 0.002]
    names = {row['id']: row['name'] for row in content['categories']}
    assert found and [(row['image_id'], names[row['category_id']], row['score'])
                      for row in content['annotations']] == found


@pytest.mark.parametrize('words, message', [
    (['nowhere', '--names', 'cat'], 'folder nowhere does not exist'),
    (['.', '--names', 'cat:high'], "--names 'cat:high': 'high' is no score"),
    (['.', '--names', 'cat', 'cat:0.2'], 'the name is there twice'),
    (['.', '--names', 'cat', '--workers', '2'], '--workers 2: it is that of --ray'),
    (['EMPTY', '--names', 'cat'], 'holds no picture')])
def test_a_mistake_is_one_line(tmp_path, capsys, words, message):
    (tmp_path / 'w.pth').write_bytes(b'')
    words = [str(tmp_path) if word == 'EMPTY' else word for word in words]
    assert main(['label', *words, '--weights', str(tmp_path / 'w.pth'), '--out', 'out.json']) == WRONG_USE
    assert message in capsys.readouterr().err


def test_names_may_hold_colons():
    assert read_thresholds(['a:b:0.5', 'traffic light'], 0.3) == {'a:b': 0.5, 'traffic light': 0.3}

"""tools/few_shot.py: which runs there are, what is done again, and the table by hand."""
import importlib.util
import json
import statistics
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from config_runs import load
from image_files import write_json
from mmdet.registry import MODELS
from paths import ROOT, TOOLS, config_file

from projects.glee_cli.exits import ConfigError


@pytest.fixture
def few_shot():
    spec = importlib.util.spec_from_file_location('few_shot', TOOLS / 'few_shot.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_runs_go_seed_by_seed(few_shot):
    args = SimpleNamespace(shots=[1, None], seeds=[3, 30], iterations=None, validations=2)
    assert few_shot.plan(args) == [(0, 0, 0), (1, 3, 200), (None, 3, 2000), (1, 30, 200), (None, 30, 2000)]
    args.iterations = [7]
    assert {run[2] for run in few_shot.plan(args)[1:]} == {7}
    args.iterations = [7, 8, 9]
    with pytest.raises(ConfigError, match='--iterations has 3 numbers for 2 of --shots'):
        few_shot.plan(args)


def test_training_files_of_odinw_lie_beside_those_of_its_test(few_shot, tmp_path):
    sets = few_shot.read_sets('odinw13')
    assert len(sets) == 13
    root = 'data/odinw/dataset/Raccoon/Raccoon.v2-raw.coco/'
    assert sets['Raccoon'] == dict(
        train=f'{root}train/annotations_without_background.json', images=f'{root}train/',
        val=f'{root}valid/annotations_without_background.json', val_images=f'{root}valid/',
        test=f'{root}valid/annotations_without_background.json', test_images=f'{root}valid/')
    assert sets['pistols']['train'] == 'data/odinw/dataset/pistols/export/train_annotations_without_background.json'
    assert list(few_shot.read_sets('odinw35@BCCD')) == ['BCCD']
    mine = write_json(tmp_path / 'sets.json', dict(cells=dict(train='t.json', val='v.json', test='x.json', images='p')))
    assert few_shot.read_sets(mine)['cells'] == dict(train='t.json', val='v.json', test='x.json', images='p',
                                                     val_images='p', test_images='p')
    with pytest.raises(ConfigError, match='set cells needs train, val and images'):
        few_shot.read_sets(write_json(tmp_path / 'sets.json', dict(cells=dict(train='t.json'))))
    with pytest.raises(ConfigError, match='odinw13 has'):
        few_shot.read_sets('odinw13@BCCD')


def test_the_table_by_hand(few_shot, tmp_path):
    """Mean and spread of each set, and of the means of the sets that a seed has."""
    runs = [(0, 0, 0), (1, 3, 9), (1, 30, 9), (1, 300, 9)]
    values = dict(a={(0, 0): .1, (1, 3): .2, (1, 30): .3, (1, 300): .7}, b={(0, 0): .3, (1, 3): .4, (1, 30): .5})
    for name, numbers in values.items():
        for (shots, seed), value in numbers.items():
            folder = few_shot.folder_of(tmp_path, name, shots, seed, 9 if shots else 0)
            write_json(folder / 'result.json', dict(pictures=1, iterations=9, numbers={'coco/bbox_mAP': value}))
    few_shot.write_table(tmp_path, values, runs)
    lines = (tmp_path / 'few_shot.md').read_text().splitlines()
    assert lines[2] == '| zero-shot | 10.0 | 30.0 | 20.0 |'
    spread = [f'{statistics.stdev(numbers):.1f}' for numbers in ([20, 30, 70], [40, 50], [30, 40])]
    assert lines[3] == f'| 1-shot | 40.0 ± {spread[0]} | 45.0 ± {spread[1]} (2) | 35.0 ± {spread[2]} (2) |'
    assert len(json.loads((tmp_path / 'few_shot.json').read_text())) == 7


class Inline:
    """A process that is none."""
    exitcode = 0

    def __init__(self, target, args):
        self.start = lambda: target(*args)

    def join(self):
        """It has ended."""


@pytest.mark.slow
def test_what_is_done_is_not_done_again(few_shot, world, tmp_path, monkeypatch, capsys):
    """Two runs and the start on a small MiniWorld; a run whose result is lost is the only one to be repeated."""
    cfg = load('glee_mini_odinw-few-shot', tmp_path)
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), tmp_path / 'start.pth')
    bdd = world / 'bdd100k'
    sets = write_json(tmp_path / 'sets.json', dict(bdd=dict(
        train=f'{bdd}/labels/det_20/det_train_cocofmt.json', images=f'{bdd}/images/100k/train',
        val=f'{bdd}/labels/det_20/det_val_cocofmt.json', val_images=f'{bdd}/images/100k/val')))
    done = []
    monkeypatch.setattr(few_shot.multiprocessing, 'get_context', lambda _: SimpleNamespace(
        Process=Inline, set_forkserver_preload=lambda _: None))
    monkeypatch.setattr(few_shot, 'run_alone', lambda *args: (done.append(args[2:5]), few_shot.run(*args)))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, 'argv', [
        'few_shot.py', str(config_file('glee_mini_odinw-few-shot')), str(tmp_path / 'start.pth'), '--sets', sets,
        '--shots', '1', 'all', '--seeds', '3', '--iterations', '2', '--validations', '1', '--work-dir',
        str(tmp_path / 'out'), '--cfg-options', 'train_dataloader.num_workers=0', 'val_dataloader.num_workers=0',
        'train_dataloader.batch_size=2', 'PillowResize.scale=(10000, 64)',
        'RandomChoiceResize.scales=[(64, 10000)]'])
    few_shot.main()
    assert done == [(0, 0, 0), (1, 3, 2), (None, 3, 2)]
    rows = json.loads((tmp_path / 'out/few_shot.json').read_text())
    assert [row['shots'] for row in rows] == ['zero-shot', '1-shot', 'all'] and rows[2]['pictures'] == 9
    assert rows[0]['pictures'] == 0 < rows[1]['pictures'] < 9
    assert '| all |' in capsys.readouterr().out
    folder = Path(few_shot.folder_of(tmp_path / 'out', 'bdd', 1, 3, 2))
    before = (folder / 'result.json').read_text()
    (folder / 'result.json').unlink()
    few_shot.main()
    assert done[3:] == [(1, 3, 2)]
    again = json.loads((folder / 'result.json').read_text())['numbers']
    assert again['coco/bbox_mAP'] == json.loads(before)['numbers']['coco/bbox_mAP']

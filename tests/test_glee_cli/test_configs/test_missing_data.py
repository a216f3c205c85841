"""What a config misses is told in one screen, before anything heavy is imported."""
import runpy
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from paths import CONFIGS, ROOT, TOOLS, config_file
from worlds import own_copy

from projects.glee_cli.configs.config_file import load_config, move_data_root
from projects.glee_cli.configs.data_sources import expand, find_source, read_tables
from projects.glee_cli.configs.leave_out import leave_out
from projects.glee_cli.configs.missing_data import check_data
from projects.glee_cli.configs.needed_files import CHECKPOINT, missing_files, needed_files, source_of
from projects.glee_cli.exits import MISSING_DATA, ConfigError, MissingData

OWN = sorted([*(CONFIGS / 'finetune').glob('*.py'), CONFIGS / 'examples/finetune_my_data.py'])  # a user's own files
ALL = sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts and path not in OWN)

CONVERTED = ('VOCdevkit', 'benchmark_RELEASE', 'panoptic', 'stuff', 'minival', 'ReasonSeg/', 'look_alikes/',
             'stop_and_go/')
NOT_IN_MINIWORLD = ('odinw/dataset/', 'ReVOS/', 'ReasonVOS/', 'test-dev2017', 'test2017', 'meta_expressions/train')


def load(path, **options):
    return load_config(Namespace(config=str(path), cfg_options=options, launcher='none', work_dir=None, local_rank=0))


def halves(cfg):
    """Whether a config trains, and whether it tests."""
    return [training for training, section in ((True, 'train_dataloader'), (False, 'test_dataloader'))
            if cfg.get(section)]


def test_training_without_data_ends_before_torch_is_imported(tmp_path):
    code = ('import runpy, sys; sys.argv[0] = "train.py"\n'
            f'try: runpy.run_path({str(TOOLS / "train.py")!r}, run_name="__main__")\n'
            'finally: print("heavy:", {"torch", "cv2", "mmcv", "mmdet"} & set(sys.modules))')
    out = subprocess.run([sys.executable, '-c', code, str(config_file('glee_r50_stage2'))], cwd=tmp_path,
                         env=dict(PYTHONPATH=str(ROOT)), capture_output=True, text=True)
    assert out.returncode == MISSING_DATA and out.stdout == 'heavy: set()\n'
    lines = out.stderr.splitlines()
    assert len(lines) < 55 and max(map(len, lines)) < 200 and 'Traceback' not in out.stderr
    assert '32 files and folders' in lines[0]
    for text in ('openimages/openimages_v6_train_bbox_splitdir.json', 'openimages_to_coco.py', 'ovis/train/',
                 'coco/annotations/instances_val2017.json', 'objects365.org', '--without missing',
                 'make_miniworld.py --out data/miniworld_all', 'glee_r50_stage2.py --cfg-options data_root=data/mini'):
        assert text in out.stderr, text


def test_the_option_debug_shows_the_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['test.py', str(config_file('glee_r50_vos')), 'none.pth', '--debug'])
    with pytest.raises(MissingData, match=r'(?s)DAVIS/JPEGImages/480p/.*checkpoint +none\.pth|none\.pth.*DAVIS'):
        runpy.run_path(str(TOOLS / 'test.py'), run_name='__main__')


@pytest.mark.parametrize('path', ALL, ids=lambda path: path.stem)
def test_files_of_every_config_are_in_the_tables_and_in_miniworld(path, world):
    """Some are made from MiniWorld by a converter, and it has no counterpart of others; weights are no data."""
    cfg, tables = load(path), read_tables()
    root = cfg.data_root.removesuffix('coco/')  # that of mmdet's own configs
    for training in halves(cfg):
        needed = [entry.path for entry in needed_files(cfg, training) if entry.owner != CHECKPOINT]
        assert needed
        unknown = [name for name in needed if not name.startswith(root) or not find_source(name[len(root):], tables)]
        assert not unknown
    move_data_root(cfg, str(world / cfg.data_root.removeprefix(root)))
    for training in halves(cfg):
        missing = [entry.path for entry in missing_files(cfg, training) if entry.owner != CHECKPOINT]
        assert not [name for name in missing if not any(part in name for part in (*CONVERTED, *NOT_IN_MINIWORLD))]


@pytest.mark.parametrize('path', OWN, ids=lambda path: path.stem)
def test_nobody_else_has_ones_own_data(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingData, match='set the paths in the config') as error:
        check_data(load(path), training=True)
    assert 'MiniWorld' not in str(error.value) and 'reads ' in str(error.value)


def test_needed_files_by_hand(tmp_path):
    (tmp_path / 'mine.py').write_text("""
data_root = 'data/'
load_from = 'start.pth'
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
             text_encoder=dict(checkpoint='clip/'), teacher=dict(checkpoint=None))
one = dict(type='A', data_root='data/a', ann_file='x.json', data_prefix=dict(img='pictures/', seg=''),
           pipeline=[dict(type='SetSource', source='first'), dict(type='Names', names_file='data/names.txt')])
two = dict(type='mmdet.BDataset', data_root='data/b/', ann_file='/elsewhere/y.json', split_file=None,
           meta_file='m.json')
away = dict(type='C', data_root='s3://bucket', ann_file='z.json')
train_dataloader = dict(dataset=dict(type='Joined', datasets=[one, dict(type='Repeat', dataset=two), away]))
train_cfg = dict()
val_dataloader = dict(dataset=dict(type='D', data_root='data/', ann_file='val.json', backend_args=dict(backend='x')))
val_evaluator = dict(type='Metric', ann_file='data/val.json', outfile_prefix='out/x', curves_file='curves.csv')
val_cfg = dict()
test_dataloader = dict(dataset=one)
test_evaluator = [dict(type='Metric', ann_file=None)]
""")
    cfg = load(tmp_path / 'mine.py')
    assert [tuple(entry) for entry in needed_files(cfg, training=True)] == [
        ('checkpoint', 'start.pth'), ('checkpoint', 'clip/'), ('first', 'data/a/x.json'), ('first', 'data/a/pictures/'),
        ('first', 'data/names.txt'), ('BDataset', '/elsewhere/y.json'), ('BDataset', 'data/b/m.json'),
        ('validation', 'data/val.json')]
    assert [tuple(entry) for entry in needed_files(cfg, training=False)] == [
        ('checkpoint', 'start.pth'), ('test', 'data/a/x.json'), ('test', 'data/a/pictures/'),
        ('test', 'data/names.txt')]
    cfg.val_cfg = None
    assert 'validation' not in [entry.owner for entry in needed_files(cfg, training=True)]


def test_tables_of_the_docs(tmp_path):
    assert list(expand('a/{b,c}{0..1}.json')) == ['a/b0.json', 'a/b1.json', 'a/c0.json', 'a/c1.json']
    page = tmp_path / 'page.md'
    page.write_text('| name | annotations | images | origin | made by |\n| --- | --- | --- | --- | --- |\n'
                    '| `a` | `a/{x,y}.json` (names), `a/*.txt` | `a/pictures/` | a.org | as released |\n'
                    '| `b` | `b/all.json` | `a/pictures/`, `b/val/` | b.org | `make.py b`: slow |\n'
                    'no | row | at | all |\n')
    rows = read_tables(page)
    assert [row.origin for row in rows] == ['a.org', 'b.org'] and rows[1].made_by == 'make.py b'
    for path, origin in (('a/x.json', 'a.org'), ('a/z.txt', 'a.org'), ('a/pictures/', 'a.org'), ('b/', 'b.org'),
                         ('a/pictures/train/', 'a.org'), ('b/val', 'b.org'), ('b/val/x.json', 'b.org')):
        assert find_source(path, rows).origin == origin, path
    assert find_source('a/x.jsonl', rows) is None and find_source('b/other/', rows) is None
    assert read_tables(tmp_path / 'none.md') == []


def test_sources_are_left_out_with_their_ratios(world, tmp_path, capsys):
    root = own_copy(world, tmp_path / 'some', 'coco')
    for name in ('GRIT20M', 'openimages'):
        (root / name).rename(root / f'not_{name}')
    cfg = load(config_file('glee_r50_stage3'), data_root=str(root))
    ratios = dict(zip(map(source_of, cfg.train_dataloader.dataset.datasets), cfg.train_dataloader.sampler.ratios))
    with pytest.raises(MissingData, match='reads 4 files and folders'):
        check_data(cfg, training=True)
    leave_out(cfg, ['missing', 'coco'])
    check_data(cfg, training=True)
    loader = cfg.train_dataloader
    left = dict(zip(map(source_of, loader.dataset.datasets), loader.sampler.ratios))
    assert left == {name: ratio for name, ratio in ratios.items() if name not in ('grit', 'openimages', 'coco')}
    assert len(loader.sampler.repeat_thrs) == len(left) == 13 and cfg.val_cfg is not None
    assert 'training on objects365 1.5, lvis 1.5, vg_names 1' in capsys.readouterr().out
    (root / 'coco/val2017').rename(root / 'coco/not_val2017')
    leave_out(cfg, ['missing'])
    assert cfg.val_cfg is None and cfg.val_dataloader is None
    with pytest.raises(ConfigError, match='--without cocoo: the sources of .* are objects365, lvis'):
        leave_out(cfg, ['cocoo'])
    with pytest.raises(ConfigError, match='no source of .* is left'):
        leave_out(cfg, list(left))


def test_without_any_data_the_table_says_more(tmp_path):
    cfg = load(config_file('glee_mini_clips'), data_root=str(tmp_path))
    leave_out(cfg, ['missing'])
    with pytest.raises(MissingData, match='ytvis_2019/train/JPEGImages/'):
        check_data(cfg, training=True)
    assert not Path(tmp_path / 'ovis').exists()


def test_only_mixtures_have_sources(tmp_path):
    (tmp_path / 'one.py').write_text("train_dataloader = dict(dataset=dict(type='CocoDataset'))")
    with pytest.raises(ConfigError, match='one.py trains on no mixture'):
        leave_out(load(tmp_path / 'one.py'), ['coco'])


@pytest.mark.parametrize('name', ['odinw35', 'panoptic', 'tao'])
def test_miniworld_is_not_offered_where_it_has_no_such_data_or_names(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingData, match='to be had') as error:
        check_data(load(config_file(f'glee_r50_{name}')), training=False)
    assert 'MiniWorld' not in str(error.value) and 'data_root=/my/data' in str(error.value)
    with pytest.raises(MissingData, match='MiniWorld'):
        check_data(load(config_file('glee_r50_lvis-minival')), training=False)

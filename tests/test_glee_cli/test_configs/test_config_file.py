"""What the tools make of a config file and their options."""
from argparse import Namespace

import pytest
from paths import CONFIGS, config_file

from projects.glee_cli.configs.cfg_options import apply_options
from projects.glee_cli.configs.config_file import check_schedule, check_sections, load_config
from projects.glee_cli.exits import WRONG_USE, ConfigError, one_line_errors

CONFIG = """
data_root = 'data/'
cache_dir = 'cache'
train_dataloader = dict(
    num_workers=2, persistent_workers=True,
    dataset=dict(
        data_root='data/coco/', ann_file='annotations/data/a.json', cache_dir=cache_dir, backend=('data/x', 'x'),
        pipeline=[dict(type='Names', file='data/names.txt', note='my data/names', sizes=(1, 2))]))
test_dataloader = dict(num_workers=2, dataset=dict(data_root='data/', ann_file='lvis.json'))
test_evaluator = [dict(ann_file='data/lvis.json', outfile_prefix='results'), dict(outfile_prefix='./results')]
train_cfg = dict(max_iters=100)
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50)]
"""


@pytest.fixture
def load(tmp_path):
    """The config above with options; ``name`` is another file."""
    (tmp_path / 'mine.py').write_text(CONFIG)

    def load(name='mine.py', work_dir=None, **options):
        return load_config(Namespace(
            config=str(tmp_path / name), cfg_options=options, launcher='none', work_dir=work_dir, local_rank=0))

    return load


@pytest.mark.parametrize('given, root', [('/my data', '/my data/'), ('data/miniworld/', 'data/miniworld/'),
                                         ('.', './')])
def test_data_root_moves_every_path_that_begins_with_it_and_nothing_else(load, given, root):
    cfg = load(data_root=given)
    dataset = cfg.train_dataloader.dataset
    assert cfg.data_root == cfg.test_dataloader.dataset.data_root == root
    assert (dataset.data_root, dataset.ann_file) == (f'{root}coco/', 'annotations/data/a.json')
    assert tuple(dataset.backend) == (f'{root}x', 'x')
    assert dataset.pipeline == [dict(type='Names', file=f'{root}names.txt', note='my data/names', sizes=(1, 2))]
    assert cfg.test_evaluator[0].ann_file == f'{root}lvis.json'


@pytest.mark.parametrize('root', ['data', 'data/'])
def test_only_whole_folders_are_moved(root, tmp_path):
    (tmp_path / 'b.py').write_text(f"data_root = {root!r}\na = dict(data_root='data', b='database/x', c='data/d')")
    cfg = load_config(Namespace(config=str(tmp_path / 'b.py'), cfg_options=dict(data_root='x'), launcher='none',
                                work_dir=None, local_rank=0))
    assert (cfg.data_root, cfg.a) == ('x/', dict(data_root='x/', b='database/x', c='x/d'))
    (tmp_path / 'b.py').write_text("data_root = ''\na = dict(data_root='', b='c')")
    with pytest.raises(ConfigError, match='has no data_root to move'):
        load_config(Namespace(config=str(tmp_path / 'b.py'), cfg_options=dict(data_root='x'), launcher='none',
                              work_dir=None, local_rank=0))


def test_data_root_goes_before_the_other_options(load):
    cfg = load(**{'load_from': 'data/start.pth', 'test_dataloader.dataset.data_root': 'data/other/', 'data_root': 'x'})
    assert (cfg.load_from, cfg.test_dataloader.dataset.data_root) == ('data/start.pth', 'data/other/')
    assert cfg.train_dataloader.dataset.data_root == 'x/coco/'


def test_a_config_of_one_s_own_cannot_move_its_bases(load, tmp_path):
    (tmp_path / 'child.py').write_text("_base_ = ['./mine.py']\ndata_root = '/my/data/'")
    with pytest.raises(ConfigError, match="child.py has data_root='/my/data/', but its data sets are in 'data/coco/'"):
        load('child.py')
    (tmp_path / 'none.py').write_text("train_cfg = dict()")
    assert load('none.py').train_cfg == {}
    with pytest.raises(ConfigError, match='none.py has no data_root to move'):
        load('none.py', data_root='x')


def test_names_without_a_folder_are_in_the_work_folder(load):
    for cfg, folder in ((load(), 'work_dirs/mine'), (load(work_dir='/out'), '/out')):
        assert cfg.work_dir == folder
        assert [metric.outfile_prefix for metric in cfg.test_evaluator] == [f'{folder}/results', './results']
        assert cfg.train_dataloader.dataset.cache_dir == f'{folder}/cache'
    cfg = load(cache_dir=None, outfile_prefix='mine/a')
    assert cfg.train_dataloader.dataset.cache_dir is None and cfg.test_evaluator[1].outfile_prefix == 'mine/a'


def test_a_loader_without_workers_keeps_none(load):
    cfg = load(num_workers=0)
    assert cfg.train_dataloader.num_workers == 0 and not cfg.train_dataloader.persistent_workers
    assert load().train_dataloader.persistent_workers


def test_an_unknown_file_names_those_like_it(load, monkeypatch):
    monkeypatch.chdir(CONFIGS.parents[1])
    with pytest.raises(ConfigError, match='did you mean configs/glee/mini/glee_mini_coco.py'):
        load('glee_mini_coco.py')
    with pytest.raises(ConfigError, match='no config file .*qwertz$'):
        load('qwertz')


def test_a_training_within_its_warm_up_is_refused(load):
    check_schedule(load())
    check_schedule(load(max_iters=51))
    with pytest.raises(ConfigError, match='max_iters=50 ends'):
        check_schedule(load(max_iters=50))
    with pytest.raises(ConfigError, match='max_iters=20 ends within the warm-up of 50 iterations.*'
                                          'warmup_iters=2$'):
        check_schedule(load(max_iters=20))
    check_schedule(load(max_iters=20, warmup_iters=2))
    check_schedule(load(max_iters=20, **{'param_scheduler.0.end_factor': 0.1}))  # a decay
    alone = load(max_iters=20)
    alone.param_scheduler = alone.param_scheduler[0]  # as mmdet's Mask2Former has it
    with pytest.raises(ConfigError, match='max_iters=20 ends'):
        check_schedule(alone)
    with pytest.raises(ConfigError, match='has no warm-up'):
        apply_options(alone, dict(warmup_iters=2))


def test_a_config_that_does_something_else_is_refused(load):
    check_sections(load(), 'train_dataloader', 'train_cfg')
    with pytest.raises(ConfigError, match='mine.py has no test_cfg'):
        check_sections(load(), 'test_dataloader', 'test_cfg')


def test_a_mistake_ends_a_program_with_one_line(capsys, monkeypatch):
    with pytest.raises(SystemExit) as stop, one_line_errors():
        raise ConfigError('no')
    assert stop.value.code == WRONG_USE and stop.value.__suppress_context__
    assert capsys.readouterr().err == 'error: no\n'
    with pytest.raises(ConfigError), one_line_errors(debug=True):
        raise ConfigError('no')
    monkeypatch.setenv('RANK', '1')
    with pytest.raises(SystemExit), one_line_errors():
        raise ConfigError('no\nmore')
    assert capsys.readouterr().err == 'process 1: error: no\n'


def test_configs_move_whole(tmp_path):
    """Of real configs, everything that is read is somewhere else afterwards; what is written stays."""
    for name in ('glee_r50_stage3', 'glee_mini_stage2', 'glee_mini_panoptic', 'glee_r50_vos'):
        cfg = load_config(Namespace(config=str(config_file(name)), cfg_options=dict(data_root='/elsewhere'),
                                    launcher='none', work_dir=str(tmp_path), local_rank=0))
        text = str([cfg.get(key) for key in ('train_dataloader', 'val_dataloader', 'test_dataloader', 'val_evaluator',
                                             'test_evaluator')])
        assert "'/elsewhere/" in text and "'data/" not in text, name
        assert 'annotation_cache' not in text or f'{tmp_path}/annotation_cache' in text

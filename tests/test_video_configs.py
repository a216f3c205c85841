"""Every video config tests in the stock loop on a small MiniWorld; its result file is accepted."""
from argparse import Namespace
from pathlib import Path

import pytest

from projects.glee.datasets.miniworld import build_miniworld
from projects.glee.engine import run_config

ROOT = Path(__file__).resolve().parents[1]
NAMES = ('ytvis', 'ovis', 'lvvis', 'tao', 'burst', 'vos', 'rvos')
SOURCES = ('coco', 'ytvis19', 'ovis', 'lvvis', 'davis', 'ref_ytvos', 'tao_burst')
METRICS = dict(ytvis='ytvis/AP', ovis='ovis/AP', lvvis='lvvis/AP_novel', tao='tao/TETA', burst='burst/HOTA',
               vos='vos/J&F', rvos='rvos/J&F')


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp('world')
    build_miniworld(folder, images=2, val_images=1, videos=1, val_videos=2, seed=3, sources=SOURCES)
    return folder


def load(name, world, work_dir, **options):
    cfg = run_config.load_config(Namespace(
        config=str(ROOT / f'configs/glee/glee_mini_{name}.py'), launcher='none', work_dir=str(work_dir), local_rank=0,
        cfg_options=dict(data_root=f'{world}/', outfile=f'{work_dir}/out', **options)))
    cfg.model.panoptic_head.num_queries = 10
    cfg.test_dataloader.update(num_workers=0)
    return cfg


def run(cfg):
    return run_config.build_runner(cfg).test()


@pytest.mark.parametrize('name', NAMES)
def test_config_gives_its_metric_and_a_valid_file(name, world, tmp_path):
    numbers = run(load(name, world, tmp_path, window=4))
    assert 0 <= numbers[METRICS[name]] <= 1 or (name == 'lvvis' and numbers[METRICS[name]] == -1)

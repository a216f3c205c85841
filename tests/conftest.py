"""Fixtures shared by all tests, each built once per session.

``world``: a MiniWorld of every source, 9 + 4 images and 2 + 2 videos (train + val) of each.
``picture_world``: a MiniWorld of many pictures, for statistics.
Both are for reading; a test that writes takes ``worlds.own_copy``.
``fork_server``: programs in processes of their own without the seconds that python, torch and mmdet take to start.
``official_lite``, ``converted_lite``, ``glee_lite``: GLEE-Lite with the weights of the goldens, at full size.
"""
from pathlib import Path
from typing import Iterator

import golden_recipe
import pytest
import torch
from fork_server import ForkServer
from goldens import manifest
from hypothesis import HealthCheck, settings
from mmdet.registry import MODELS, VISUALIZERS
from mmengine.config import Config
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import init_default_scope
from mmengine.visualization import Visualizer
from paths import ROOT
from plain_configs import plain_config_text
from tool_runner import run_tool
from worlds import build_picture_world, build_world, files_of

import projects.glee  # noqa: F401  (registers every component)
from projects.glee.engine.checkpoints import read_checkpoint

settings.register_profile('suite', max_examples=60, deadline=None, derandomize=True, database=None,
                          suppress_health_check=list(HealthCheck))
settings.register_profile('fuzz', settings.get_profile('suite'), max_examples=3000, derandomize=False)
settings.load_profile('suite')  # --hypothesis-profile=fuzz for the long run

init_default_scope('mmdet')  # for fixtures of modules and sessions, which come before the next one


@pytest.fixture(autouse=True)
def _mmdet_scope():
    init_default_scope('mmdet')


@pytest.fixture(autouse=True)
def _runs_of_their_own() -> Iterator[None]:
    """A runner is named after its config and the second: on a quick machine two tests would share one.

    Its visualizer would write to the folder of an earlier test. Its logger goes too: a web server closes the log files
    of everybody (logging.config.dictConfig), and the next model that initialises its weights would write to the closed
    file of an earlier test.
    """
    yield
    for kind in (MessageHub, MMLogger, Visualizer, *VISUALIZERS.module_dict.values()):
        kind._instance_dict.clear()


@pytest.fixture(autouse=True, scope='session')
def _plain_config_text() -> Iterator[None]:
    """See plain_configs."""
    patch = plain_config_text()
    yield
    patch.stop()


@pytest.fixture(scope='session')
def world(tmp_path_factory) -> Iterator[Path]:
    """The MiniWorld of all tests; read only, which the end of the session checks."""
    root = build_world(tmp_path_factory.mktemp('world') / 'miniworld')
    before = files_of(root)
    yield root
    after = files_of(root)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    assert not changed, f'a test wrote to the world of all tests, take worlds.own_copy: {changed[:5]}'


@pytest.fixture(scope='session')
def picture_world(tmp_path_factory) -> Path:
    """A MiniWorld of many pictures and of no videos; read only."""
    return build_picture_world(tmp_path_factory.mktemp('picture_world') / 'miniworld')


@pytest.fixture(scope='session')
def fork_server(tmp_path_factory) -> Iterator[ForkServer]:
    """Programs that start in milliseconds, see fork_server."""
    server = ForkServer(tmp_path_factory.mktemp('server'))
    yield server
    server.close()


@pytest.fixture(scope='session')
def official_lite() -> dict[str, torch.Tensor]:
    """A GLEE-Lite state dict in the official layout, regenerated from the recipe."""
    return {key: torch.from_numpy(value) for key, value in golden_recipe.state_dict(manifest('lite')['keys']).items()}


@pytest.fixture(scope='session')
def converted_lite(official_lite, tmp_path_factory) -> Iterator[Path]:
    """The same checkpoint, written by the converter from a file as the original's training saves it."""
    folder = tmp_path_factory.mktemp('lite')
    wrapped = {f'glee.{key}': value for key, value in official_lite.items()}
    torch.save(dict(model={**wrapped, 'criterion.empty_weight': torch.ones(2)}), folder / 'official.pth')
    run_tool('model_converters/glee_official.py', folder / 'official.pth', folder / 'ours.pth', '--size', 'lite')
    (folder / 'official.pth').unlink()
    yield folder / 'ours.pth'
    (folder / 'ours.pth').unlink()


@pytest.fixture(scope='session')
def glee_lite(converted_lite):
    """The GLEE-Lite model of the config with the recipe's weights, loaded strictly from the converter's file."""
    init_default_scope('mmdet')
    model = MODELS.build(Config.fromfile(ROOT / 'configs/glee/_base_/models/glee_r50.py').model)
    model.load_state_dict(read_checkpoint(converted_lite)['state_dict'], strict=True)
    return model.eval()

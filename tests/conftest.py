"""Fixtures shared by all tests."""
import json
from pathlib import Path

import golden_recipe
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

import projects.glee  # noqa: F401  (registers every component)
from projects.glee.engine.official_keys import convert_state_dict

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / 'data' / 'golden'


init_default_scope('mmdet')  # for fixtures of modules and sessions, which come before the next one


@pytest.fixture(autouse=True)
def _mmdet_scope():
    init_default_scope('mmdet')


@pytest.fixture(scope='session')
def golden_dir() -> Path:
    return GOLDEN


@pytest.fixture(scope='session')
def load_golden():
    """Loader of a golden file: (arrays, meta)."""

    def load(name: str):
        arrays = np.load(GOLDEN / f'{name}.npz')
        return arrays, json.loads(arrays['meta'].tobytes())

    return load


@pytest.fixture(scope='session')
def official_lite() -> dict[str, torch.Tensor]:
    """A GLEE-Lite state dict in the official layout, regenerated from the recipe."""
    keys = json.loads((GOLDEN / 'manifest_lite.json').read_text())['keys']
    return {key: torch.from_numpy(value) for key, value in golden_recipe.state_dict(keys).items()}


@pytest.fixture(scope='session')
def glee_lite(official_lite):
    """The GLEE-Lite model of the config with the recipe's weights, loaded strictly."""
    init_default_scope('mmdet')
    model = MODELS.build(Config.fromfile(ROOT / 'configs/glee/_base_/models/glee_r50.py').model)
    converted, _ = convert_state_dict(official_lite, 'lite')
    model.load_state_dict(converted, strict=True)
    return model.eval()

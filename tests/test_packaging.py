"""`pip install -e .` makes projects.glee importable anywhere, beside other projects/ folders."""
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from panoptic_files import write_truth
from paths import ROOT

# Isolated from this checkout, with the installed packages of `site` and the current folder.
PRELUDE = 'import importlib.util, os, site, sys; sys.path.insert(0, os.getcwd()); '


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A copy of what the package is built from, with its two wheels unpacked beside it."""
    folder = tmp_path_factory.mktemp('checkout')
    for name in ('projects', 'requirements'):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('setup.cfg', 'pyproject.toml', 'LICENSE'):
        shutil.copy(ROOT / name, folder)
    for kind in ('editable', 'wheel'):
        subprocess.run(
            [sys.executable, '-c',
             f'from setuptools.build_meta import build_{kind}; build_{kind}("{kind}")'],
            cwd=folder, check=True, capture_output=True)
        wheel, = (folder / kind).glob('*.whl')
        zipfile.ZipFile(wheel).extractall(folder / f'site_{kind}')
    return folder


def run(checkout, folder, code, *options, silent=False):
    code = PRELUDE + f'site.addsitedir({str(checkout / "site_editable")!r}); ' + code
    result = subprocess.run([sys.executable, '-I', *options, '-c', code], cwd=folder, text=True,
                            capture_output=True)
    assert result.returncode == 0 and not (silent and result.stderr), result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize('kind', ['no projects', 'a namespace', 'a package'])
def test_editable_install_is_found_from_any_folder(checkout, tmp_path, kind):
    code = 'print(importlib.util.find_spec("projects.glee").origin); '
    expected = [str(checkout / 'projects' / 'glee' / '__init__.py')]
    if kind != 'no projects':
        (tmp_path / 'projects' / 'other').mkdir(parents=True)
        (tmp_path / 'projects' / 'other' / '__init__.py').write_text('answer = 42')
        code += 'from projects.other import answer; print(answer)'
        expected.append('42')
    if kind == 'a package':
        (tmp_path / 'projects' / '__init__.py').touch()
    assert run(checkout, tmp_path, code, '-S').splitlines() == expected


def test_import_registers_components_beside_another_project(checkout, tmp_path):
    (tmp_path / 'projects' / 'other').mkdir(parents=True)
    (tmp_path / 'projects' / 'other' / '__init__.py').write_text('answer = 42')
    (tmp_path / 'config.py').write_text(
        "custom_imports = dict(imports=['projects.glee', 'projects.other'])")
    code = ('from mmengine.config import Config; Config.fromfile("config.py"); '
            'from mmdet.registry import MODELS; print("CLIPTextEncoder" in MODELS, '
            'sys.modules["projects.other"].answer)')
    assert run(checkout, tmp_path, code, silent=True) == 'True 42'  # importing prints nothing


def files_of(folder):
    return {path.relative_to(folder) for path in (folder / 'projects').rglob('*')
            if path.is_file() and '__pycache__' not in path.parts}


def test_wheel_holds_the_whole_package_and_no_projects_init(checkout):
    packed = files_of(checkout / 'site_wheel')
    assert packed == files_of(checkout)
    assert Path('projects/glee/__init__.py') in packed
    assert Path('projects/__init__.py') not in packed


def test_wheel_holds_the_configs_and_the_index_of_models(checkout):
    """In the place where OpenMMLab's packages have theirs."""
    folder = checkout / 'site_wheel/projects/glee/.mim'
    code = (f'import sys; sys.path.insert(0, {str(checkout / "site_wheel")!r}); '
            'from projects.glee_cli.configs.config_file import CONFIGS; print(CONFIGS)')
    result = subprocess.run([sys.executable, '-I', '-c', code], cwd=checkout, text=True, capture_output=True)
    assert result.stdout.strip() == str(folder / 'configs/glee'), result.stderr
    for file in filter(Path.is_file, (ROOT / 'configs').rglob('*.*')):
        if '__pycache__' not in file.parts:
            assert (folder / file.relative_to(ROOT)).read_bytes() == file.read_bytes()
    assert (folder / 'model-index.yml').read_text() == (ROOT / 'model-index.yml').read_text()


# What stands in mmengine, mmcv, mmdet, mmpretrain, torch.load, the environment and the warnings before and after;
# then stock parts are used, panopticapi being a package of the user's.
IMPORT = """
import contextlib, io, os, sys, warnings
import mmdet.datasets, mmdet.evaluation, mmdet.models, mmdet.visualization
import torch
from mmengine.runner.checkpoint import CheckpointLoader

def outside():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.split('.')[0] in ('mmengine', 'mmcv', 'mmdet', 'mmpretrain', 'panopticapi'):
            for key, value in list(vars(module).items()):
                found[name, key] = id(value)
                if isinstance(value, type):
                    found.update({(name, key, k): id(v) for k, v in list(vars(value).items()) if callable(v)})
    environment = {('environment', key): value for key, value in os.environ.items()}
    return {**found, **environment, 'torch.load': id(torch.load), 'filters': list(warnings.filters),
            'loaders': dict(CheckpointLoader._schemes)}

known, before = set(sys.modules), outside()
with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out), \\
        warnings.catch_warnings(record=True) as said:
    import projects.glee
after = outside()
assert not out.getvalue() and not said, (out.getvalue(), said)
changed = [key for key in before if before[key] != after.get(key)]
assert not changed, changed
made = [name for name in set(sys.modules) - known if name.split('.')[0] in ('mmengine', 'mmdet', 'mmpretrain')
        and getattr(sys.modules[name], '__file__', None) is None]
assert not made and 'mmpretrain.models' not in set(sys.modules) - known, made
assert not [name for name in sys.modules if name.startswith(("peft", "projects.glee.llm"))]  # only where they are used

from mmdet.evaluation import CocoPanopticMetric
from mmdet.evaluation.metrics import coco_panoptic_metric
from mmdet.registry import MODELS
assert coco_panoptic_metric.PQStat.owner == 'the user'
metric = CocoPanopticMetric('pan.json', 'maps')
metric.dataset_meta = dict(classes=('square', 'sky'))
labels = torch.zeros(1, 20, 30, dtype=torch.long)
metric.process({}, [dict(img_id=1, img_path='a.jpg', ori_shape=(20, 30), pred_panoptic_seg=dict(sem_seg=labels + 2))])
assert metric.results[0][7].fn == 2
try:
    import mmpretrain.models  # as a whole it works beside some torchvisions and transformers only
    assert mmpretrain.models.build_classifier
except (ImportError, TypeError):
    pass
import projects.glee.models.backbones.mmpretrain
assert MODELS.build(dict(type='mmpretrain.ConvNeXt'))(torch.zeros(2, 3, 32, 32))[0].shape[1] == 768
torch.save(dict(state_dict=dict(a=torch.ones(1)), other=Exception), 'stock.pth')
assert CheckpointLoader.load_checkpoint('stock.pth')['other'] is Exception  # mmengine's way, for better or worse
"""


def test_importing_changes_nothing_outside_and_stock_parts_work(tmp_path):
    write_truth(tmp_path)
    (tmp_path / 'panopticapi').mkdir()
    (tmp_path / 'panopticapi/__init__.py').touch()
    (tmp_path / 'panopticapi/evaluation.py').write_text(
        'from collections import defaultdict\nfrom types import SimpleNamespace\nVOID, OFFSET = 0, 256**3\n'
        "class PQStat(defaultdict):\n    owner = 'the user'\n    def __init__(self):\n"
        '        super().__init__(lambda: SimpleNamespace(iou=0., tp=0, fp=0, fn=0))\n')
    (tmp_path / 'panopticapi/utils.py').write_text(
        'import numpy as np\nrgb2id = lambda colors: colors.astype(int) @ np.array([1, 256, 256**2])\n'
        'id2rgb = lambda ids: np.stack([ids % 256, ids // 256 % 256, ids // 256**2], -1)\n')
    environment = dict(os.environ, PYTHONPATH=f'{tmp_path}:{ROOT}')
    environment.pop('TOKENIZERS_PARALLELISM', None)
    result = subprocess.run([sys.executable, '-c', IMPORT], cwd=tmp_path, env=environment, text=True,
                            capture_output=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_mmpretrain_may_end_in_a_type_error(tmp_path):
    """As it does beside torchvision and transformers 5, after its first modules; mmdet expects an ImportError."""
    modules = {
        'models': 'from . import classifiers, utils\nclass Broken(None):\n    pass',
        'models.classifiers': 'ImageClassifier = object', 'models.utils': 'from . import batch_augments',
        'models.utils.batch_augments': 'RandomBatchAugment = object', 'evaluation': '',
        'evaluation.metrics': 'Accuracy = object',
        'structures': 'batch_label_to_onehot = cat_batch_labels = tensor_split = None'}
    for name, code in {'': '', **modules}.items():
        folder = tmp_path / 'mmpretrain' / name.replace('.', '/')
        folder.mkdir(parents=True, exist_ok=True)
        (folder / '__init__.py').write_text(code)
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tools/test.py'), '--help'], cwd=tmp_path, capture_output=True, text=True,
        env=dict(os.environ, PYTHONPATH=f'{tmp_path}:{ROOT}'))
    assert done.returncode == 0, done.stderr

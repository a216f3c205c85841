"""`pip install -e .` makes projects.glee importable anywhere, beside other projects/ folders."""
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
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


def run(checkout, folder, code, *options):
    code = PRELUDE + f'site.addsitedir({str(checkout / "site_editable")!r}); ' + code
    result = subprocess.run([sys.executable, '-I', *options, '-c', code], cwd=folder, text=True,
                            capture_output=True)
    assert result.returncode == 0, result.stderr
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
    assert run(checkout, tmp_path, code).splitlines()[-1] == 'True 42'


def files_of(folder):
    return {path.relative_to(folder) for path in (folder / 'projects').rglob('*')
            if path.is_file() and '__pycache__' not in path.parts}


def test_wheel_holds_the_whole_package_and_no_projects_init(checkout):
    packed = files_of(checkout / 'site_wheel')
    assert packed == files_of(checkout)
    assert Path('projects/glee/__init__.py') in packed
    assert Path('projects/__init__.py') not in packed


def test_mmpretrain_is_represented_before_mmdet_looks_for_it():
    """Beside torchvision and transformers 5 the real `mmpretrain.models` ends in an error that mmdet does not catch."""
    code = 'import sys, projects.glee; print(*sys.modules)'
    result = subprocess.run([sys.executable, '-c', code], cwd=ROOT, text=True, capture_output=True)
    assert result.returncode == 0, result.stderr
    modules = result.stdout.split()
    assert modules.index('mmpretrain.models') < modules.index('mmdet.models')
    assert 'mmpretrain.models.multimodal' not in modules

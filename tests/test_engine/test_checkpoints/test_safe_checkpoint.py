"""Checkpoints are read without executing anything, and every bad one is named."""
import zipfile

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from safetensors.torch import save_file
from toy_training import Payload, make_runner

from projects.glee.engine.checkpoints import read_checkpoint, safe_loading


def read_by_mmengine(path):
    with safe_loading():
        return CheckpointLoader.load_checkpoint(path)


@pytest.mark.parametrize('read', [read_checkpoint, read_by_mmengine])
def test_a_pickle_that_executes_code_is_refused(tmp_path, read):
    trace = tmp_path / 'executed'
    path = str(tmp_path / 'bad.pth')
    torch.save(dict(state_dict=dict(weight=torch.ones(1)), extra=Payload(trace)), path)
    with pytest.raises(ValueError, match=r'bad\.pth was refused.*Nothing .* executed.*open'):
        read(path)
    assert not trace.exists()
    torch.load(path, weights_only=False)  # the payload does work
    assert trace.exists()


def test_mmengine_reads_as_before_after_the_block():
    before = dict(CheckpointLoader._schemes)
    with pytest.raises(FileNotFoundError), safe_loading():
        CheckpointLoader.load_checkpoint('nowhere.pth')
    assert CheckpointLoader._schemes == before


@pytest.mark.parametrize('start', [dict(load_from=None), dict(load_from='bad.pth')])
def test_no_way_into_a_runner_executes_a_file(tmp_path, start):
    path = str(tmp_path / 'bad.pth')
    torch.save(dict(state_dict=Payload(tmp_path / 'executed')), path)
    runner = make_runner(tmp_path / 'run')
    if start['load_from'] is None:
        runner.model.init_cfg = dict(type='Pretrained', checkpoint=path)
    with pytest.raises(ValueError, match=r'bad\.pth was refused'):
        runner.train() if start['load_from'] is None else runner.load_checkpoint(path, strict=False)
    assert not (tmp_path / 'executed').exists()


def test_a_file_written_under_numpy_1_is_read(tmp_path):
    """numpy 2 renamed the module of the functions that rebuild arrays and numbers."""
    content = dict(log=HistoryBuffer([1.0, 3.0], [1, 1]), number=np.float64(4), array=np.arange(3))
    torch.save(content, tmp_path / 'a.pth')
    with zipfile.ZipFile(tmp_path / 'a.pth') as new, zipfile.ZipFile(tmp_path / 'old.pth', 'w') as old:
        for name in new.namelist():
            old.writestr(name, new.read(name).replace(b'numpy._core.multiarray', b'numpy.core.multiarray'))
    assert b'numpy.core.multiarray\n' in (tmp_path / 'old.pth').read_bytes()
    content = read_checkpoint(tmp_path / 'old.pth')
    assert content['log'].mean() == 2 and content['number'] == 4 and content['array'].tolist() == [0, 1, 2]


def test_attributes_of_other_objects_are_refused(tmp_path):
    class Attribute:
        def __reduce__(self):
            return getattr, (HistoryBuffer, '__init__')

    torch.save(dict(extra=Attribute()), tmp_path / 'bad.pth')
    with pytest.raises(ValueError, match='refused.*getattr of __init__'):
        read_checkpoint(tmp_path / 'bad.pth')


def test_tensors_logs_and_safetensors_are_read(tmp_path):
    log = HistoryBuffer([1.0, 3.0], [1, 1])
    torch.save(dict(state_dict=dict(weight=torch.ones(2)), log=log), tmp_path / 'good.pth')
    content = read_checkpoint(tmp_path / 'good.pth')
    assert torch.equal(content['state_dict']['weight'], torch.ones(2))
    assert content['log'].mean() == 2
    save_file(dict(weight=torch.ones(2)), tmp_path / 'good.safetensors')
    assert torch.equal(read_checkpoint(tmp_path / 'good.safetensors')['weight'], torch.ones(2))


@pytest.mark.parametrize('name', ['noise.pth', 'noise.safetensors', 'cut.pth', 'empty.pth'])
def test_damaged_files_are_named(tmp_path, name):
    path = tmp_path / name
    torch.save(dict(weight=torch.ones(1000)), path)
    content = dict(noise=b'no checkpoint at all', cut=path.read_bytes()[:2000], empty=b'')
    path.write_bytes(content[path.stem])
    with pytest.raises(ValueError, match=name):
        read_checkpoint(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        read_checkpoint(tmp_path / 'nowhere.pth')


@pytest.mark.parametrize('zipped', [True, False])
def test_mapped_files_hold_the_same(tmp_path, zipped):
    content = dict(state_dict=dict(weight=torch.randn(3, 4), count=torch.tensor(5)), meta=dict(epoch=2))
    torch.save(content, tmp_path / 'a.pth', _use_new_zipfile_serialization=zipped)
    read = read_checkpoint(tmp_path / 'a.pth', mapped=True)
    assert read['meta'] == content['meta']
    assert all(torch.equal(read['state_dict'][key], value) for key, value in content['state_dict'].items())
    before = (tmp_path / 'a.pth').read_bytes()
    read['state_dict']['weight'].zero_()
    assert (tmp_path / 'a.pth').read_bytes() == before

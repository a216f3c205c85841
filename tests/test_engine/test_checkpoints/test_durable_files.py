"""Files appear complete or not at all, and a whole one is told from a damaged one."""
import resource
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from projects.glee.engine.checkpoints.durable_files import (
    is_complete,
    list_checkpoints,
    number_of,
    remove_parts,
    replacing,
    write_checkpoint,
)


@contextmanager
def files_below(size):
    """No file of this process grows beyond ``size`` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_failed_block_leaves_the_earlier_file_alone(tmp_path):
    path = tmp_path / 'a.txt'
    with replacing(path) as file:
        file.write(b'first')
        assert not path.exists()
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b'second')
        assert path.read_bytes() == b'first'
        raise KeyboardInterrupt
    assert path.read_bytes() == b'first' and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_os_error(tmp_path):
    path = tmp_path / 'iter_1.pth'
    write_checkpoint(dict(a=torch.ones(3)), path)
    with files_below(100_000), pytest.raises(OSError, match='File too large'):
        write_checkpoint(dict(a=torch.rand(1000, 1000)), path)
    assert torch.equal(torch.load(path)['a'], torch.ones(3)) and list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed(tmp_path):
    for name in ('.iter_4.pth.part', 'iter_2.pth', '.mine.part'):
        (tmp_path / name).touch()
    remove_parts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['.mine.part', 'iter_2.pth']


def test_cut_changed_and_foreign_files_are_not_complete(tmp_path):
    path = tmp_path / 'a.pth'
    write_checkpoint(dict(a=torch.arange(1000.)), path)
    assert is_complete(path)
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[content.index(torch.arange(1000.).numpy().tobytes()) + 77] ^= 1  # a bit of a number: torch.load is content
    for damaged in (content[:-100], content[:700], flipped, b'', b'text'):
        path.write_bytes(damaged)
        assert not is_complete(path)
    assert not is_complete(tmp_path / 'nowhere.pth')


@pytest.mark.parametrize('pointer', [None, '', 'iter_2.pth', '/nowhere/iter_99.pth', b'\xff\xfe'])
def test_newest_first_whatever_last_checkpoint_says(tmp_path, pointer):
    names = ('iter_2.pth', 'iter_10.pth', 'best_x_iter_40.pth', 'iter_3.pth.damaged', '.iter_30.pth.part', 'x.pth')
    for name in names:
        (tmp_path / name).touch()
    if pointer is not None:
        (tmp_path / 'last_checkpoint').write_bytes(pointer if isinstance(pointer, bytes) else pointer.encode())
    assert [path.name for path in list_checkpoints(tmp_path)] == ['iter_10.pth', 'iter_2.pth']


@pytest.mark.parametrize('absolute', [False, True])
def test_checkpoints_elsewhere_are_found_by_last_checkpoint(tmp_path, absolute):
    work, other = tmp_path / 'work', tmp_path / 'other'
    for folder, number in ((work, 4), (other, 6), (other, 8)):
        folder.mkdir(exist_ok=True)
        (folder / f'iter_{number}.pth').touch()
    (work / 'last_checkpoint').write_text(str(other / 'iter_6.pth') if absolute else '../other/iter_6.pth\n')
    assert [number_of(path) for path in list_checkpoints(work)] == [8, 6, 4]


def test_number_of():
    names = ('iter_20.pth', 'best_coco_bbox_mAP_iter_300.pth', 'epoch_7.pth', 'model.pth', Path('/iter_3/model.pth'))
    assert [number_of(name) for name in names] == [20, 300, 7, None, None]

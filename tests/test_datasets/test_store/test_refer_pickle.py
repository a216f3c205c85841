"""REFER's pickles are read without running what they ask for."""
import os
import pickle
import subprocess

import numpy as np
import pytest
from image_files import write_refer

from projects.glee.datasets.image import ReferDataset, TextCocoDataset
from projects.glee.datasets.store.refer_pickle import load_refs
from projects.glee.datasets.video import (
    BURSTDataset,
    ExpressionVideosDataset,
    MetaExpressionsDataset,
    YTVISJsonDataset,
)

REFS = [dict(ref_id=1, ann_id=2, split='val', sentences=[dict(raw='the left ☆', sent_id=10**15, tokens=['the'])],
             score=0.5, none=None, pair=(1, True))]


class Hostile:
    """An object whose pickle calls a function."""

    def __init__(self, function, *args) -> None:
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_every_protocol(tmp_path, protocol):
    path = tmp_path / 'refs(unc).p'
    path.write_bytes(pickle.dumps(REFS, protocol))
    assert load_refs(str(path)) == REFS


def test_strings_of_python_2(tmp_path):
    path = tmp_path / 'refs(google).p'
    path.write_bytes(b"(lp0\n(dp1\nS'split'\np2\nS'val'\np3\nsS'ref_id'\nI7\nsS'raw'\nVcaf\\u00e9\nsS'x'\nL3L\nsa.")
    assert load_refs(str(path)) == [dict(split='val', ref_id=7, raw='café', x=3)]


@pytest.mark.parametrize('content', [
    [Hostile(os.mkdir, 'ran')], Hostile(os.system, 'mkdir ran'), [dict(sentences=Hostile(eval, "__import__('os')"))],
    Hostile(subprocess.check_output, 'mkdir ran'), [np.float64(3)], [{1, 2}], Hostile(getattr, 'x', 'upper')],
    ids=lambda content: type(content).__name__)
def test_a_pickle_that_asks_for_code_is_refused_and_named(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'refs(unc).p'
    path.write_bytes(pickle.dumps(content, 2))
    with pytest.raises(ValueError, match=r'refs\(unc\)\.p is no pickle of plain data.*asks for'):
        load_refs(str(path))
    assert os.listdir(tmp_path) == ['refs(unc).p']


@pytest.mark.parametrize('content', [b'', b'\x80\x02]', b'nonsense', pickle.dumps(REFS, 2)[:-20], b'\x80\x02X\xff'])
def test_damaged_pickles_are_named(tmp_path, content):
    path = tmp_path / 'refs(unc).p'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'refs\(unc\)\.p is no pickle'):
        load_refs(str(path))
    path.write_bytes(pickle.dumps(dict(a=1)))
    with pytest.raises(ValueError, match='must hold a list of referred objects'):
        load_refs(str(path))


@pytest.mark.parametrize('name', ['ann.pkl', 'ann.yaml', 'ann.yml', 'ann.pickle'])
def test_the_end_of_a_name_makes_no_file_a_program(tmp_path, name):
    """mmengine's ``load`` would run the code of such a file."""
    code = f'!!python/object/apply:os.mkdir [{tmp_path / "ran"}]\n'.encode()
    pickled = pickle.dumps(Hostile(os.mkdir, str(tmp_path / 'ran')))
    (tmp_path / name).write_bytes(code if name.endswith('ml') else pickled)
    options = dict(data_root=f'{tmp_path}/', ann_file=name, pipeline=[])
    for build in (YTVISJsonDataset, BURSTDataset, MetaExpressionsDataset, ExpressionVideosDataset, TextCocoDataset):
        with pytest.raises(ValueError, match=name):
            build(**options, data_prefix=dict(img=''))
    assert not (tmp_path / 'ran').exists()


def test_the_reader_names_the_file(tmp_path):
    root = write_refer(tmp_path, [dict(ann=0, split='val', sentences=['star'])], [(1, 1, (4, 4, 10, 10))])
    options = dict(data_root=str(root), ann_file='refcoco/instances.json', split_file='refcoco/refs(unc).p',
                   data_prefix=dict(img_path='train2014/'), pipeline=[])
    assert len(ReferDataset(**options, split='val')) == 1
    with pytest.raises(ValueError, match=r"refs\(unc\)\.p has no object of the split 'test'"):
        ReferDataset(**options, split='test')
    (root / 'refcoco/refs(unc).p').write_bytes(pickle.dumps([Hostile(os.mkdir, str(tmp_path / 'ran'))]))
    with pytest.raises(ValueError, match=r'refs\(unc\)\.p is no pickle of plain data'):
        ReferDataset(**options, split='val')
    assert not (tmp_path / 'ran').exists()

"""Tables of names: expansion, both directions, and every kind of mismatch."""
import pytest
import torch

from projects.glee.engine.checkpoints.conversion_report import ConversionReport
from projects.glee.engine.checkpoints.key_table import (
    Alias,
    Derived,
    Drop,
    Join,
    KeyMismatch,
    KeyTable,
    Layout,
    Rename,
    expand,
)

FLIP = Layout(lambda x: x.flip(0), lambda x: x.flip(0), 'reversed')
TABLE = KeyTable(
    'a toy',
    (Rename('a{0..1}.{w,b}', 'x.{0..1}.{weight,bias}'), Rename('flipped', 'f', FLIP), Rename('same', 'same'),
     Join('m{0..1}.{p,q}', 'joined.{0..1}'), Rename('extra', 'e', group='extra')),
    aliases=(Alias('{c,d}.{w,b}', 'a0.{w,b}'), ),
    derived=(Derived('index', lambda: torch.arange(3), 'a function of the size'), ),
    our_derived=(Derived('count.{0..1}', lambda: torch.tensor(0), 'a counter', checked=False), ),
    drops=(Drop('^head', 'a classifier'), ),
    our_drops=(Drop('^new', 'ours alone'), ),
    shapes=dict(same=(2, )),
    optional=dict(extra='it is optional'))


@pytest.fixture
def theirs():
    torch.manual_seed(0)
    values = {name: torch.randn(2) for name in ('a0.w', 'a0.b', 'a1.w', 'a1.b', 'flipped', 'same', 'extra')}
    values.update({name: torch.randn(2, 3) for name in expand('m{0..1}.{p,q}')})
    values.update({f'{copy}.{part}': values[f'a0.{part}'].clone() for copy in 'cd' for part in 'wb'})
    return {**values, 'index': torch.arange(3)}


def test_braces_expand_with_the_last_fastest():
    assert expand('a.{2..3}.{w,b}') == ['a.2.w', 'a.2.b', 'a.3.w', 'a.3.b']
    assert expand('{9..11}') == ['9', '10', '11']
    assert expand('plain') == ['plain']


def test_every_entry_arrives(theirs):
    ours, report = TABLE.to_ours({**theirs, 'head.weight': torch.ones(1)})
    assert set(ours) == {'x.0.weight', 'x.0.bias', 'x.1.weight', 'x.1.bias', 'f', 'same', 'joined.0', 'joined.1',
                         'e', 'count.0', 'count.1'}
    assert ours['x.1.weight'] is theirs['a1.w'] and ours['x.0.bias'] is theirs['a0.b']
    assert ours['f'].tolist() == theirs['flipped'].tolist()[::-1]
    assert ours['joined.1'].tolist() == theirs['m1.p'].tolist() + theirs['m1.q'].tolist()
    assert ours['count.0'] == 0
    assert sorted(line.source for line in report.lines if line.action != 'added') == sorted([*theirs, 'head.weight'])
    assert report.counts == dict(used=1, renamed=6, merged=8, dropped=2, added=2)
    assert report.names('dropped') == ['head.weight', 'index'] and report.names('used') == ['same']


def test_the_way_back_is_exact(theirs):
    ours, _ = TABLE.to_ours(theirs)
    back, report = TABLE.to_theirs({**ours, 'count.0': torch.tensor(7), 'new.weight': torch.ones(1)})
    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], value) for name, value in theirs.items())
    assert set(report.names('dropped')) == {'new.weight', 'count.0', 'count.1'}
    assert set(report.names('added')) == {'index', 'c.w', 'c.b', 'd.w', 'd.b'}


def test_an_alias_stands_in_for_its_entry(theirs):
    value = theirs.pop('a0.w')
    assert torch.equal(TABLE.to_ours(theirs)[0]['x.0.weight'], value)


def test_an_optional_group_is_absent_as_a_whole(theirs):
    del theirs['extra']
    ours, report = TABLE.to_ours(theirs)
    assert 'e' not in ours and report.names('absent') == ['extra']
    assert 'extra' not in TABLE.to_theirs(ours)[0]


@pytest.mark.parametrize('change, message', [
    (lambda t: t.pop('a1.w'), r'fit a toy: 1 missing \(a1.w\), 0 unknown'),
    (lambda t: t.pop('m0.q'), r'1 missing \(m0.q\)'),
    (lambda t: t.update(strange=torch.ones(1)), r'0 missing, 1 unknown \(strange\)'),
    (lambda t: t.update({f's{i}': torch.ones(1) for i in range(8)}), r's4 and 3 more'),
    (lambda t: t['d.w'].add_(1e-6), r'd\.w and a0\.w differ, but in a toy they are one'),
    (lambda t: t.update(index=torch.arange(3) + 1), 'index is not that of a toy .a function of the size'),
    (lambda t: t.update(index=torch.arange(4)), 'index is not that of a toy'),
    (lambda t: t.update(same=torch.ones(3)), r'same has shape \(3,\), in a toy it is \(2,\)'),
])
def test_mismatches_are_named(theirs, change, message):
    change(theirs)
    with pytest.raises(KeyMismatch, match=message):
        TABLE.to_ours(theirs)


def test_a_row_with_unequal_sides_is_an_error():
    with pytest.raises(ValueError, match='has 3 names'):
        Rename('a{0..2}', 'b{0..1}').pairs()


def test_report(tmp_path):
    report = ConversionReport()
    for i in range(3):
        report.add('renamed', f'layer.{i}.w', f'x.{i}.weight')
    report.add('dropped', 'head', '', 'a classifier')
    assert report.summary().splitlines() == [
        'renamed     3  layer.*.w -> x.*.weight', 'dropped     1  head  (a classifier)', '3 renamed, 1 dropped']
    report.save(tmp_path / 'made' / 'report.tsv')
    rows = (tmp_path / 'made' / 'report.tsv').read_text().splitlines()
    assert rows[0] == 'action\tsource\ttarget\treason' and rows[2] == 'renamed\tlayer.1.w\tx.1.weight\t'
    with pytest.raises(KeyError):
        report.add('lost', 'a', 'b')

"""Options of the command line: what their values are, and where they are set."""
import argparse
import re

import pytest
from mmengine.config import Config

from projects.glee_cli.configs.cfg_options import DictAction, apply_options, parse_value
from projects.glee_cli.exits import ConfigError


@pytest.mark.parametrize('text, value', [
    ('4', 4), ('1e-4', 1e-4), ('-0.5', -0.5), ('True', True), ('false', False), ('None', None), ('none', 'none'),
    ('', ''),
    ('my data', 'my data'), ('/my data/coco', '/my data/coco'), ("'4'", '4'), ('"a, b"', 'a, b'),
    ('a=b', 'a=b'), ("it's", "it's"), ('1,2,c', [1, 2, 'c']), ('[]', []), ('(1, )', (1, )), ('[1]', [1]),
    ("['traffic light']", ['traffic light']), ('[traffic light, stop sign]', ['traffic light', 'stop sign']),
    ('["a, b", c]', ['a, b', 'c']), ("[it's a dog, [x y]]", ["it's a dog", ['x y']]),
    ('[(96, 10000), (64, 128)]', [(96, 10000), (64, 128)]), ('[a, (b, [c, d])]', ['a', ('b', ['c', 'd'])]),
    ("{type: Pad, 'the key': [1, 2], size: (3, 4)}", {'type': 'Pad', 'the key': [1, 2], 'size': (3, 4)}),
    ('{}', {}), ('run(1).pth', 'run(1).pth'), ('C:/x', 'C:/x'), ('a: b', 'a: b')])
def test_values(text, value):
    assert parse_value(text) == value and type(parse_value(text)) is type(value)


def parse(*arguments):
    parser = argparse.ArgumentParser(prog='tool')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    return parser.parse_args(arguments).cfg_options


def test_pairs_of_several_options_come_together():
    assert parse() == {}
    assert parse('--cfg-options', 'a=my data', 'b.c=1', '--cfg-options', 'b.c=2', 'd=x=y') == {
        'a': 'my data', 'b.c': 2, 'd': 'x=y'}


@pytest.mark.parametrize('pair, message', [
    ('data', "'data' is not of the form KEY=VALUE"), ('=3', 'KEY=VALUE'), ('a=[1, 2', r'a: \] is missing'),
    ("a=['x]", "' is missing"), ('a={1}', 'key: value')])
def test_a_pair_that_cannot_be_read_is_one_line(pair, message, capsys):
    with pytest.raises(SystemExit):
        parse('--cfg-options', pair)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith('tool: error: --cfg-options') and re.search(message, line)


def config():
    return Config(dict(
        ratios=dict(coco=1),
        train_dataloader=dict(num_workers=4, dataset=dict(datasets=[
            dict(type='A', pipeline=[dict(type='Resize', scale=(1, 2)), dict(type='Mark', prob=0.2)]),
            dict(type='B', pipeline=[dict(type='Choose', transforms=[dict(type='mmdet.Resize', scale=(3, 4))])])])),
        train_cfg=dict(max_iters=10), model=dict(head=dict(size=1))))


def test_a_path_from_a_section_is_set_there():
    cfg = config()
    apply_options(cfg, {'model.head.size': 2, 'train_dataloader.dataset.datasets.1.type': 'C', 'load_from': 'x.pth',
                        'model.new': dict(a=1)})
    assert cfg.model == dict(head=dict(size=2), new=dict(a=1)) and cfg.load_from == 'x.pth'
    assert [dataset.type for dataset in cfg.train_dataloader.dataset.datasets] == ['A', 'C']


def test_a_key_or_a_component_is_set_wherever_it_is(capsys):
    cfg = config()
    apply_options(cfg, {'prob': 0.5, 'max_iters': 3, 'Resize.scale': (5, 6), 'Choose.transforms.0.keep': True})
    first, second = cfg.train_dataloader.dataset.datasets
    assert first.pipeline == [dict(type='Resize', scale=(5, 6)), dict(type='Mark', prob=0.5)]
    assert second.pipeline[0].transforms == [dict(type='mmdet.Resize', scale=(5, 6), keep=True)]
    assert cfg.train_cfg.max_iters == 3
    assert 'Resize.scale: set in 2 places' in capsys.readouterr().out


@pytest.mark.parametrize('key, message', [
    ('max_iter', 'did you mean max_iters'), ('trian_dataloader.num_workers', 'did you mean train_dataloader'),
    ('Resise.scale', 'did you mean Resize'), ('ratios.coco', 'a variable of its files'), ('xyz', "component 'xyz'$")])
def test_what_fits_nowhere_is_refused(key, message):
    cfg = config()
    with pytest.raises(ConfigError, match=message):
        apply_options(cfg, {key: 1})
    assert cfg.to_dict() == config().to_dict()


def test_warmup_iters_moves_what_begins_at_its_end():
    cfg = Config(dict(param_scheduler=[
        dict(type='LinearLR', begin=0, end=60), dict(type='CosineAnnealingLR', begin=60), dict(type='MultiStepLR')]))
    apply_options(cfg, dict(warmup_iters=2))
    assert cfg.param_scheduler == [
        dict(type='LinearLR', begin=0, end=2), dict(type='CosineAnnealingLR', begin=2), dict(type='MultiStepLR')]
    for schedule in ({}, dict(param_scheduler=[dict(type='CosineAnnealingLR')])):
        with pytest.raises(ConfigError, match='has no warm-up'):
            apply_options(Config(schedule), dict(warmup_iters=2))


def test_warmup_iters_of_0_takes_the_warmup_away():
    cfg = Config(dict(param_scheduler=[
        dict(type='LinearLR', begin=0, end=60), dict(type='CosineAnnealingLR', begin=60)]))
    apply_options(cfg, dict(warmup_iters=0))
    assert cfg.param_scheduler == [dict(type='CosineAnnealingLR', begin=0)]
    for value in (-1, '3 epochs', 0.5):
        with pytest.raises(ConfigError, match='give a number of iterations'):
            apply_options(Config(dict(param_scheduler=[dict(type='LinearLR', end=60)])), dict(warmup_iters=value))

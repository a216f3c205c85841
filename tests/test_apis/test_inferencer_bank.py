"""Encoded names in a file: written by an inferencer, read by another, from python and from the command line."""
import pytest
import torch
from config_runs import load
from PIL import Image
from sessions import picture

from projects.glee.apis import GLEEInferencer
from projects.glee_cli import main

NAMES, SENTENCE = ['red star', 'ring'], 'the ring on the left'


def passes_of(glee):
    """A list that grows by one with each pass of the text transformer."""
    passes = []
    glee.model.panoptic_head.text_encoder.text_model.register_forward_hook(lambda *_: passes.append(1))
    return passes


def test_a_saved_bank_gives_the_same_results(tmp_path, capsys):
    cfg, weights, bank = load('glee_mini_coco', tmp_path), tmp_path / 'mini.pth', tmp_path / 'bank.pt'
    glee = GLEEInferencer(cfg, device='cpu', score_thr=0.)
    torch.save(dict(state_dict=glee.model.state_dict()), weights)
    glee.save_names(bank, NAMES, SENTENCE)
    other = GLEEInferencer(cfg, weights, device='cpu', score_thr=0., text_bank=bank)
    passes = passes_of(other)
    for question in (dict(names=NAMES), dict(expressions=SENTENCE), dict(names='ring')):
        found, wanted = other(picture(), **question)[0], glee(picture(), **question)[0]
        assert found.names == wanted.names and found.rles == wanted.rles
        assert found.scores == pytest.approx(wanted.scores, abs=1e-6)
    assert not passes
    with pytest.raises(ValueError, match='names is empty or holds an empty string'):
        glee.save_names(bank, ['ring', ' '])
    glee.model.panoptic_head.text_encoder.text_model.final_layer_norm.bias.data += 0.1
    torch.save(dict(state_dict=glee.model.state_dict()), weights)
    with pytest.raises(ValueError, match='the text bank does not fit this model'):
        GLEEInferencer(cfg, weights, device='cpu', text_bank=bank)

    Image.fromarray(picture()).save(tmp_path / 'a.png')
    words = ['predict', str(tmp_path / 'a.png'), '--names', *NAMES, '--model', 'glee_mini', '--weights', str(weights),
             '--device', 'cpu', '--score-thr', '0', '--out', str(tmp_path / 'out'), '--text-bank']
    made = tmp_path / 'made.pt'
    assert main([*words, str(made)]) == 0 and made.exists()
    first, time = capsys.readouterr().out, made.stat().st_mtime_ns
    assert main([*words, str(made)]) == 0 and capsys.readouterr().out == first and made.stat().st_mtime_ns == time
    assert main([*words, str(bank)]) != 0 and 'write it again' in capsys.readouterr().err

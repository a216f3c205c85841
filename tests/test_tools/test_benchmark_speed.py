"""The smallest run of benchmark_speed: all jobs, all ways that are left out, what the JSON has; no time is asserted."""
import json
from contextlib import nullcontext

import numpy as np
import pytest
import torch
import transformers
from tool_runner import run_tool
from transformers import BertConfig, GroundingDinoConfig, SwinConfig

from projects.glee.apis import GLEEInferencer
from projects.glee.apis.model_names import config_of
from projects.glee.models.detectors import compiled_network
from projects.glee_cli.speed.jobs import JOBS, Setting
from projects.glee_cli.speed.measuring import Times, interleaved, ratio
from projects.glee_cli.speed.peers import PEERS, caption_ids
from projects.glee_cli.speed.ways import WAYS, without


def test_every_job_has_its_row(tmp_path, capsys):
    run_tool('benchmark_speed.py', '--model', 'glee_mini', '--sizes', '64x64', '--texts', 3, '--repeats', 1, '--frames',
             2, '--batch', 1, '--without', 'reference', 'sampling', '--out', tmp_path / 'speed.json', '--device', 'cpu')
    found = json.loads((tmp_path / 'speed.json').read_text())
    assert [row['job'] for row in found['rows']] == list(JOBS)
    assert capsys.readouterr().out.count('\n| ') == 1 + len(JOBS)
    assert found['machine']['matmul_gflops'] > 0 and torch.__version__.startswith(found['machine']['versions']['torch'])
    for row in found['rows']:
        assert set(row) == {'job', 'size', 'texts', 'seconds', 'ratios', 'beside', 'memory_mib', 'parts', 'gflop',
                            'matmul_share'}
        assert set(row['ratios']) == {'reference', 'sampling'} and row['size'] == [64, 64]
        assert row['memory_mib']['peak'] >= row['memory_mib']['before'] > 10
        parts = row['parts']
        assert sum(value for part, value in parts.items() if part != 'all') == pytest.approx(parts['all'])
        assert parts['panoptic_head.decoder'] > 0 and ('panoptic_head.criterion' in parts) == (row['job'] == 'training')
    image = found['rows'][0]
    assert image['gflop'] > 0.05 and image['matmul_share'] == pytest.approx(
        image['gflop'] / image['seconds']['cpu_median'] / found['machine']['matmul_gflops'])


def short_run(tmp_path, *options):
    """Rows of one small round."""
    run_tool('benchmark_speed.py', '--model', 'glee_mini', '--sizes', '64x64', '--texts', 3, '--repeats', 1, '--frames',
             2, '--batch', 1, '--device', 'cpu', '--out', tmp_path / 'speed.json', *options)
    return json.loads((tmp_path / 'speed.json').read_text())


def test_half_precision_and_threads(tmp_path):
    before = torch.get_num_threads()
    try:
        found = short_run(tmp_path, '--dtype', 'bfloat16', '--threads', 2)
    finally:
        torch.set_num_threads(before)
    assert [row['job'] for row in found['rows']] == list(JOBS)
    assert (found['machine']['dtype'], found['machine']['threads']) == ('bfloat16', 2)


def test_a_compiled_model_has_no_parts(tmp_path, monkeypatch):
    modes, compile_parts = [], compiled_network.compile_network

    def compile_network(model, mode):
        modes.append(mode)
        return compile_parts(model, backend='eager')

    monkeypatch.setattr(compiled_network, 'compile_network', compile_network)
    found = short_run(tmp_path, '--jobs', 'image', '--compile', 'reduce-overhead')
    assert modes == ['reduce-overhead'] == [found['compiled']] and found['rows'][0]['parts'] is None


def test_a_model_of_another_package_is_timed_in_the_same_rounds(tmp_path, monkeypatch):
    made = []

    def small(**given):
        made.append(given)
        return GroundingDinoConfig(
            d_model=64, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=16, decoder_ffn_dim=16, **given,
            text_config=BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16),
            backbone_config=SwinConfig(embed_dim=12, depths=[1] * 4, num_heads=[1] * 4, out_indices=[2, 3, 4]))

    monkeypatch.setattr(transformers, 'GroundingDinoConfig', small)
    row, = short_run(tmp_path, '--jobs', 'image', '--beside', 'grounding-dino')['rows']
    assert made == [dict(num_queries=8 * 8 + 4 * 4 + 2 * 2 + 1)]  # fewer places than its 900 queries
    assert row['beside']['grounding-dino']['median'] > 0 and set(row['ratios']) == {'grounding-dino'}
    call = PEERS['grounding-dino'](Setting((64, 96), 3), torch.device('cpu'), torch.float32)
    boxes = call().pred_boxes
    assert boxes.shape[0] == 1 and boxes.shape[2] == 4 and boxes.isfinite().all()


def test_a_caption_has_a_token_per_word_and_dot():
    assert caption_ids(['street lamp', 'cup']) == [101, 2000, 2001, 1012, 2000, 1012, 102]
    with pytest.raises(ValueError, match='reads 256 tokens, and 130 names have 262: give fewer --texts'):
        caption_ids(['cup'] * 130)


def test_a_ratio_is_old_over_new():
    assert ratio(Times([4., 6., 9.], [2., 2., 2.]), Times([2., 2., 3.], [4., 4., 4.])) == dict(wall=3., cpu=0.5)
    summary = Times([1., 2., 3.], [2., 2., 2.]).summary(units=2)
    assert summary['median'] == 1. and summary['fps'] == 1. and summary['p90'] == pytest.approx(1.4)
    order = []
    times = interleaved({name: (lambda name=name: order.append(name), nullcontext) for name in 'ab'}, 2, lambda: None)
    assert order == list('ababab') and len(times['a'].wall) == 2  # the first round warms up


@pytest.mark.parametrize('way', [*WAYS, 'reference'])
def test_without_an_optimisation_the_answer_is_the_same(way):
    torch.manual_seed(0)
    glee = GLEEInferencer(config_of('glee_mini'), device='cpu')
    glee.model.init_weights()
    call = JOBS['image'](glee, Setting((64, 96), 5))
    expected = call()[0].pred_instances.clone()
    with without(glee.model, (way, )):
        found = call()[0].pred_instances
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    np.testing.assert_allclose(found.bboxes, expected.bboxes, atol=1e-2)
    assert (found.masks != expected.masks).float().mean() < 1e-3

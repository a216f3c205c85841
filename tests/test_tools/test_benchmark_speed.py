"""The smallest run of benchmark_speed: all jobs, all ways that are left out, what the JSON has; no time is asserted."""
import json
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from tool_runner import run_tool

from projects.glee.apis import GLEEInferencer
from projects.glee.apis.model_names import config_of
from projects.glee_cli.speed.jobs import JOBS, Setting
from projects.glee_cli.speed.measuring import Times, interleaved, ratio
from projects.glee_cli.speed.ways import WAYS, without


def test_every_job_has_its_row(tmp_path, capsys):
    run_tool('benchmark_speed.py', '--model', 'glee_mini', '--sizes', '64x64', '--texts', 3, '--repeats', 1, '--frames',
             2, '--batch', 1, '--without', 'reference', 'sampling', '--out', tmp_path / 'speed.json', '--device', 'cpu')
    found = json.loads((tmp_path / 'speed.json').read_text())
    assert [row['job'] for row in found['rows']] == list(JOBS)
    assert capsys.readouterr().out.count('\n| ') == 1 + len(JOBS)
    assert found['machine']['matmul_gflops'] > 0 and torch.__version__.startswith(found['machine']['versions']['torch'])
    for row in found['rows']:
        assert set(row) == {'job', 'size', 'texts', 'seconds', 'ratios', 'memory_mib', 'parts', 'gflop', 'matmul_share'}
        assert set(row['ratios']) == {'reference', 'sampling'} and row['size'] == [64, 64]
        assert row['memory_mib']['peak'] >= row['memory_mib']['before'] > 10
        parts = row['parts']
        assert sum(value for part, value in parts.items() if part != 'all') == pytest.approx(parts['all'])
        assert parts['panoptic_head.decoder'] > 0 and ('panoptic_head.criterion' in parts) == (row['job'] == 'training')
    image = found['rows'][0]
    assert image['gflop'] > 0.05 and image['matmul_share'] == pytest.approx(
        image['gflop'] / image['seconds']['cpu_median'] / found['machine']['matmul_gflops'])


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

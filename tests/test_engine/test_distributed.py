"""Two processes draw from one stream and train as one on the joined batch."""
import os
import subprocess
import sys

import pytest
from paths import ROOT


def numbers(script, processes):
    """The lines of numbers that a script under torchrun prints."""
    environment = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=os.pathsep.join(['.', 'tests/helpers']))
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', str(processes), script],
        cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return [[float(word) for word in line.split()[1:]] for line in done.stdout.splitlines()
            if line.startswith('numbers')]


@pytest.mark.slow
def test_loss_and_gradients_of_two_processes_equal_one():
    """Exact under equal shapes, one vocabulary, equal largest object counts and injected noise."""
    one, two = (numbers('tests/helpers/distributed_loss.py', processes)[0] for processes in (1, 2))
    assert two[0] == pytest.approx(one[0], rel=1e-6)
    assert two[1:] == pytest.approx(one[1:], rel=2e-4)  # float32 sums in another order


@pytest.mark.slow
def test_two_processes_draw_the_ratios():
    """Each rank alone and both together, with a seed they agree on; together they reach more images."""
    first, second, both = numbers('tests/helpers/distributed_draws.py', 2)
    for *frequencies, _ in (first, second, both):
        assert frequencies == pytest.approx([0.2, 0.5, 0.3], abs=0.02)
    assert both[-1] > 1000 > first[-1] and first != second

"""Two processes train as one on the joined batch."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def numbers(processes):
    environment = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=os.pathsep.join(['.', 'tests']))
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', str(processes),
         'tests/distributed_loss.py'], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith('numbers'))
    return [float(word) for word in line.split()[1:]]


@pytest.mark.slow
def test_loss_and_gradients_of_two_processes_equal_one():
    """Exact under equal shapes, one vocabulary, equal largest object counts and injected noise."""
    assert numbers(2) == pytest.approx(numbers(1), rel=2e-4)

"""Two processes draw from one stream and train as one on the joined batch."""
import socket

import pytest
from paths import HELPERS


@pytest.fixture
def numbers(fork_server):
    """The lines of numbers that so many processes of a script in helpers/ print."""

    def numbers(script, processes):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        ranks = [fork_server.start(HELPERS / script, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes),
                                   MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port)) for rank in range(processes)]
        outputs = [rank.communicate() for rank in ranks]
        assert not any(rank.returncode for rank in ranks), outputs
        return [[float(word) for word in line.split()[1:]] for line in outputs[0][0].splitlines()
                if line.startswith('numbers')]

    return numbers


@pytest.mark.slow
def test_loss_and_gradients_of_two_processes_equal_one(numbers):
    """Exact under equal shapes, one vocabulary, equal largest object counts and injected noise."""
    one, two = (numbers('distributed_loss.py', processes)[0] for processes in (1, 2))
    assert two[0] == pytest.approx(one[0], rel=1e-6)
    assert two[1:] == pytest.approx(one[1:], rel=2e-4)  # float32 sums in another order


@pytest.mark.slow
def test_two_processes_draw_the_ratios(numbers):
    """Each rank alone and both together, with a seed they agree on; together they reach more images."""
    first, second, both = numbers('distributed_draws.py', 2)
    for *frequencies, _ in (first, second, both):
        assert frequencies == pytest.approx([0.2, 0.5, 0.3], abs=0.02)
    assert both[-1] > 1000 > first[-1] and first != second


@pytest.mark.slow
def test_sharded_training_of_two_processes_equals_one(numbers):
    """FSDP by mmengine's strategy: each process keeps half of the weights, and the steps are those of one.

    In every step but the last one process runs layers that the other does not: the teacher, or the backbone once more.
    """
    one, two = (numbers('distributed_fsdp.py', processes)[0] for processes in (1, 2))
    assert two[:4] == pytest.approx(one[:4], rel=1e-4)
    assert len(set(one[:4])) == 4 and one[4] == 1 and two[4] == pytest.approx(0.5, abs=0.01)

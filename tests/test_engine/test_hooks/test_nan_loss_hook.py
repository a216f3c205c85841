"""A loss that is no number stops the training and leaves a good checkpoint."""
import pytest
import torch
from toy_training import make_runner

from projects.glee.engine.checkpoints import read_checkpoint


@pytest.mark.parametrize('kind, term', [('loss', 'loss_bias=nan'), ('grad', 'grad_norm=nan')])
def test_terms_iteration_and_last_checkpoint_are_named(tmp_path, kind, term):
    runner = make_runner(tmp_path / kind, model=dict(broken_at=4, kind=kind))
    with pytest.raises(FloatingPointError) as error:
        runner.train()
    message = str(error.value)
    assert 'iteration 4' in message and term in message and 'loss_weight' not in message
    assert 'iter_2.pth' in message
    assert [path.name for path in (tmp_path / kind).glob('*.pth')] == ['iter_2.pth']
    weights = read_checkpoint(tmp_path / kind / 'iter_2.pth')['state_dict']
    assert all(torch.isfinite(w).all() for w in weights.values())


def test_no_checkpoint_yet_is_said(tmp_path):
    with pytest.raises(FloatingPointError, match='iteration 1: .*There is no checkpoint yet'):
        make_runner(tmp_path / 'run', model=dict(broken_at=1)).train()

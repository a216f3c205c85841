"""A checkpoint is loaded completely or not at all; a training resumes from real checkpoints."""
import pytest
import torch
from toy_training import ToyModel, make_runner


def test_resumed_training_equals_an_uninterrupted_one(tmp_path):
    whole = make_runner(tmp_path / 'whole')
    whole.train()
    make_runner(tmp_path / 'first', **{'train_cfg.max_iters': 2}).train()
    rest = make_runner(tmp_path / 'rest', resume=True,
                       load_from=str(tmp_path / 'first' / 'iter_2.pth'))
    rest.train()
    assert rest.iter == 4 and rest.model.calls == 2
    assert rest.message_hub.get_scalar('train/loss')._log_history.size == 4
    assert torch.equal(rest.model.weight, whole.model.weight)
    assert whole.model.weight > 0.3


def test_resuming_loads_what_the_start_ignored(tmp_path):
    torch.save(dict(weight=torch.ones(()), bias=torch.ones(3)), tmp_path / 'start.pth')
    start = dict(load_from=str(tmp_path / 'start.pth'), load_ignore='bias')
    first = make_runner(tmp_path / 'first', **start, **{'train_cfg.max_iters': 2})
    first.train()
    assert not first.model.bias.any() and first.model.weight > 1
    with torch.no_grad():
        first.model.bias.fill_(2.0)
    first.save_checkpoint(str(tmp_path), 'iter_2.pth', meta=dict(epoch=0, iter=2))
    rest = make_runner(tmp_path / 'rest', **{**start, 'load_from': str(tmp_path / 'iter_2.pth')}, resume=True)
    rest.load_or_resume()
    assert torch.equal(rest.model.bias, first.model.bias)


def test_weights_without_training_state_cannot_be_resumed(tmp_path):
    path = str(tmp_path / 'weights.pth')
    torch.save(ToyModel().state_dict(), path)
    with pytest.raises(ValueError, match="lacks 'meta'.*load_from"):
        make_runner(tmp_path / 'run', resume=True, load_from=path).train()


def test_wrong_checkpoint_names_its_entries(tmp_path):
    path = tmp_path / 'other.pth'
    other = {f'backbone.{i}': torch.ones(1) for i in range(10)}
    torch.save(dict(state_dict=dict(weight=torch.ones(()), **other)), path)
    runner = make_runner(tmp_path / 'run')
    with pytest.raises(ValueError) as error:
        runner.load_checkpoint(str(path))
    assert '1 missing: bias' in str(error.value)
    assert '10 unexpected: backbone.0, ' in str(error.value)
    assert 'and 2 more' in str(error.value) and 'other.pth' in str(error.value)
    assert not runner._has_loaded
    runner.cfg.load_ignore = ['^bias$', r'^backbone\.']
    runner.load_checkpoint(str(path))
    assert runner.model.weight == 1 and not runner.model.bias.any()


def test_wrapped_names_fit(tmp_path):
    path = str(tmp_path / 'wrapped.pth')
    torch.save({'module.weight': torch.ones(()), 'module.bias': torch.ones(3)}, path)
    runner = make_runner(tmp_path / 'run')
    runner.load_checkpoint(path)
    assert runner.model.bias.sum() == 3


@pytest.mark.parametrize('main', [True, False])
def test_one_process_writes_the_numbers_of_a_test(tmp_path, monkeypatch, main):
    """All of them would write to one file at once."""
    runner = make_runner(tmp_path)
    monkeypatch.setattr('projects.glee.engine.runner.strict_runner.is_main_process', lambda: main)
    told = []
    for hook in runner.hooks:
        monkeypatch.setattr(hook, 'after_test_epoch',
                            lambda runner, metrics=None, name=type(hook).__name__: told.append(name))
    runner.call_hook('after_test_epoch', metrics={})
    assert ('LoggerHook' in told) == main and len(told) == len(runner.hooks) - (not main)

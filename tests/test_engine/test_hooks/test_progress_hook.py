"""A bar on terminals, lines elsewhere."""
import sys
from unittest import mock

import pytest

from projects.glee.engine.hooks import ProgressHook


@pytest.mark.parametrize('mode', ['test', 'val'])
def test_a_bar_is_shown_on_a_terminal_only(mode, capsys, monkeypatch):
    runner = mock.Mock(test_dataloader=[0, 1], val_dataloader=[0, 1])
    for terminal in (False, True):
        monkeypatch.setattr(sys.stdout, 'isatty', lambda terminal=terminal: terminal, raising=False)
        hook = ProgressHook()
        getattr(hook, f'before_{mode}_epoch')(runner)
        for index in range(2):
            getattr(hook, f'after_{mode}_iter')(runner, index)
        shown = capsys.readouterr().out
        assert ('2/2' in shown and shown.endswith('\n')) if terminal else shown == ''
    hook.after_train_iter(runner, 0)
    assert capsys.readouterr().out == ''

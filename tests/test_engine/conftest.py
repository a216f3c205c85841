"""Fixtures of the engine's tests."""
import pytest
from mmengine.runner import Runner


@pytest.fixture(autouse=True)
def _no_environment_report(monkeypatch):
    monkeypatch.setattr(Runner, '_log_env', lambda *_: None)  # asks compilers, takes a second

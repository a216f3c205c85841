"""Tests of the language model need its extra."""
import pytest

pytest.importorskip('peft', reason='peft is not installed: pip install -r requirements/llm.txt')

"""Tests of the language model need its extra, which the environment of tools/setup_env.sh has in a folder apart."""
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(sys.prefix) / 'extras/llm'))
pytest.importorskip('peft', reason='peft is not installed: pip install -r requirements/llm.txt')

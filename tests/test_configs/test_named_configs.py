"""Configs that documents name exist."""
import re

import pytest
from paths import CONFIGS, ROOT, config_file

NAMED = r'(?:configs/glee/)?(?:[\w{},-]+/)*glee_(?:mini|r50|swin|eva02|convnext|{)[\w{},-]*\.py'
DOCUMENTS = [ROOT / 'README.md', CONFIGS / 'README.md', *sorted((ROOT / 'docs').glob('*.md')),
             ROOT / 'tools/quickstart.sh', *sorted(ROOT.glob('tools/**/*.py'))]


def expand(text):
    """'a{b,c}d' to 'abd' and 'acd'."""
    found = re.search(r'\{([^{}]*,[^{}]*)\}', text)
    return [text] if not found else [
        name for part in found[1].split(',') for name in expand(text[:found.start()] + part + text[found.end():])]


def test_expand():
    assert expand('a{b,c}_{d,e}.py') == ['ab_d.py', 'ab_e.py', 'ac_d.py', 'ac_e.py'] and expand('a.py') == ['a.py']


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_configs_that_a_document_names_exist(path):
    named = re.findall(NAMED, path.read_text())
    for name in {name for text in named for name in expand(text)}:
        # {size} stands for any; in work_dirs are those that a run has written
        if '{' not in name and '_base_' not in name and not name.startswith('work_dirs/'):
            assert str(config_file(name.split('/')[-1].removesuffix('.py'))).endswith(name)

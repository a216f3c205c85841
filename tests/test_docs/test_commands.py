"""Commands on pages are understood: sub-commands and options of glee, and the scripts that are named."""
import re
import shlex

import pytest
from paths import ROOT

from projects.glee_cli.program import make_parser

PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]


def commands(path):
    """Words of every command in the shell blocks of a page."""
    for block in re.findall(r'```(?:bash|text)\n(.*?)```', path.read_text('utf-8'), re.DOTALL):
        for line in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True) if re.match(r'(glee|python|\.venv/bin/python|bash) ', line) else []
            if words:
                yield words


def test_commands_are_found():
    assert ['glee', 'info'] in commands(ROOT / 'README.md')
    assert sum(1 for path in PAGES for _ in commands(path)) > 20


@pytest.mark.parametrize('path', PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_a_page(path):
    for program, *words in commands(path):
        if program == 'glee':
            make_parser().parse_args(words)
        elif not words[0].startswith('-'):
            assert (ROOT / words[0]).is_file(), words

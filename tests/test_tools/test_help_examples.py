"""Every example that a --help shows is accepted by its program, names files that exist, and the quick ones run."""
import re
import runpy
import shlex
import sys
from argparse import ArgumentParser

import pytest
from paths import ROOT
from worlds import own_copy

from projects.glee_cli.configs.data_sources import expand
from projects.glee_cli.program import COMMANDS, main

SCRIPTS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / 'tools').rglob('*.py')
                 if 'parse_args' in path.read_text() or 'conversion' in path.read_text())
PROGRAMS = [*SCRIPTS, *(f'glee {command}' for command in COMMANDS)]


class Parsed(Exception):
    """The arguments were accepted; the program ends here."""


def start(program, words, monkeypatch):
    """Run a script of tools/, or the program glee, as ``__main__`` of this process."""
    if program == 'glee':
        return main(words)
    monkeypatch.setattr(sys, 'argv', [program, *words])
    monkeypatch.setattr(sys, 'path', [str((ROOT / program).parent), *sys.path])
    return runpy.run_path(str(ROOT / program), run_name='__main__')


def help_of(program, monkeypatch, capsys):
    """What ``program --help`` prints."""
    name, *words = program.split() if program.startswith('glee') else [program]
    with pytest.raises(SystemExit) as end:
        start(name, [*words, '--help'], monkeypatch)
    assert end.value.code in (0, None)
    return capsys.readouterr().out


def examples_in(text):
    """The command lines of a --help, whole."""
    text = re.sub(r'\\\n\s*', ' ', text)  # lines that go on
    lines = re.findall(r'^ {4}((?:python|torchrun|glee) .*)$', text, re.MULTILINE)
    wrapped = re.search(r'example: (python .*)', re.sub(r'\s+', ' ', text))  # in an epilog, up to its end
    return lines or [wrapped[1]] * bool(wrapped)


def words_of(line):
    """Program and arguments of a command line; a shell's braces are expanded."""
    words = [word for text in shlex.split(line, comments=True) for word in (
        expand(text) if re.search(r'\{[^{} ]*,[^{} ]*\}', text) else [text])]
    if words[0] == 'torchrun':
        words = words[next(place for place, word in enumerate(words) if word.endswith('.py')):]
    return words[1:] if words[0] == 'python' else words


@pytest.mark.parametrize('program', PROGRAMS)
def test_examples_are_accepted(program, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    examples = examples_in(help_of(program, monkeypatch, capsys))
    assert examples or program == 'tools/glee.py', f'{program} --help shows no example'
    parse = ArgumentParser.parse_args

    def parse_and_end(self, *args, **kwargs):
        parse(self, *args, **kwargs)
        raise Parsed

    for line in examples:
        name, *words = words_of(line)
        assert name == program.split()[0] or program.startswith('glee'), line
        for word in words:
            if word.startswith(('configs/', 'tools/')):
                assert (ROOT / word).exists(), f'{word} of {line!r}'
        with monkeypatch.context() as patch:
            patch.setattr(ArgumentParser, 'parse_args', parse_and_end)
            with pytest.raises(Parsed):
                start(name, words, monkeypatch)


QUICK = ['glee info', 'coco_to_maps.py data/miniworld --layout panoptic', 'stage3.py --samples 0 --draws 10000',
         'visual_genome_names.py', 'merge_refcoco.py data/annotations']


@pytest.mark.parametrize('part', QUICK)
def test_quick_examples_run(part, world, tmp_path, monkeypatch, capsys):
    """Beside a MiniWorld in data/ and in data/miniworld/."""
    data = own_copy(world, tmp_path / 'data', 'annotations', 'coco', 'visual_genome')
    (data / 'miniworld').symlink_to(own_copy(world, tmp_path / 'mini', 'coco'))
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    monkeypatch.chdir(tmp_path)
    program = next(program for program in PROGRAMS if any(
        part in line for line in examples_in(help_of(program, monkeypatch, capsys))))
    line = next(line for line in examples_in(help_of(program, monkeypatch, capsys)) if part in line)
    name, *words = words_of(line)
    assert start(name, words, monkeypatch) is not None
    assert 'Traceback' not in capsys.readouterr().err

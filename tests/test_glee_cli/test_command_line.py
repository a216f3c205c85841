"""The program's arguments, exit codes and one-line errors; the model itself is tested with the inferencer."""
import json
import subprocess
import sys

import numpy as np
import pytest
from paths import ROOT
from PIL import Image

from projects.glee_cli import program
from projects.glee_cli.exits import SOME_FAILED, UNEXPECTED, WRONG_USE
from projects.glee_cli.options import read_frame_prompts, read_prompts
from projects.glee_cli.program import COMMANDS, main


def test_help_needs_nothing_heavy():
    code = ('import sys; from projects.glee_cli import main\n'
            'try: main(["--help"])\n'
            'except SystemExit: sys.exit(bool({"torch", "numpy", "mmdet"} & set(sys.modules)))')
    out = subprocess.run([sys.executable, '-S', '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert out.returncode == 0 and all(name in out.stdout for name in COMMANDS), out.stderr


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, '--help'])
    assert end.value.code == 0 and f'    glee {command}' in capsys.readouterr().out


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / 'picture.png'
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    return str(path)


@pytest.mark.parametrize('arguments, message', [
    (['predict', 'no_such.jpg', '--names', 'star'], 'picture no_such.jpg does not exist'),
    (['predict', 'setup.cfg', '--names', 'star'], 'setup.cfg cannot be read as a picture'),
    (['predict', 'setup.cfg'], 'say what to look for'),
    (['predict', 'PICTURE', '--names', 'star'], 'name a checkpoint with --weights'),
    (['predict', 'PICTURE', '--names', 'star', '--weights', 'none.pth'], 'checkpoint none.pth does not exist'),
    (['click', 'PICTURE'], 'say where the object is'),
    (['click', 'PICTURE', '--point', '1'], '--point takes X Y or X Y SIGN'),
    (['click', 'PICTURE', '--prompts', 'setup.cfg'], 'setup.cfg is no JSON file'),
    (['info', '--model', 'glee_r51'], "model 'glee_r51' is neither a config file nor one of the names")])
def test_a_mistake_is_one_line_and_code_2(arguments, message, picture, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main([picture if word == 'PICTURE' else word for word in arguments]) == WRONG_USE
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and message in lines[0] and lines[0].startswith(f'glee {arguments[0]}: ')


def test_other_errors_have_another_code_and_a_traceback_on_request(monkeypatch, capsys):
    def fail(args):
        raise RuntimeError('broken')

    monkeypatch.setattr(program.COMMANDS['info'], 'run', fail)
    assert main(['info']) == UNEXPECTED
    assert capsys.readouterr().err == 'glee info: RuntimeError: broken\n'
    assert main(['info', '--debug']) == UNEXPECTED and 'Traceback' in capsys.readouterr().err
    monkeypatch.setattr(program.COMMANDS['info'], 'run', lambda args: True)
    assert main(['info']) == SOME_FAILED


@pytest.mark.parametrize('words, prompts', [
    (['--point', '3', '4'], [dict(points=[[3, 4]])]),
    (['--point', '3', '4', '--point', '5', '6', '-1'], [dict(points=[[3, 4], [5, 6, -1]])]),
    (['--box', '1', '2', '3', '4', '--text', 'a dog'], [dict(boxes=[[1, 2, 3, 4]], text='a dog')]),
    (['--box', '1', '2', '3', '4', '--box', '5', '6', '7', '8'],
     [dict(boxes=[[1, 2, 3, 4]]), dict(boxes=[[5, 6, 7, 8]])])])
def test_prompts_of_the_command_line(words, prompts):
    assert read_prompts(program.make_parser().parse_args(['click', 'a.jpg', *words])) == prompts


def test_prompts_of_a_file(tmp_path):
    path = tmp_path / 'prompts.json'
    path.write_text('\ufeff' + json.dumps(dict(points=[[1, 2]])), encoding='utf-8')
    assert read_prompts(program.make_parser().parse_args(['click', 'a.jpg', '--prompts', str(path)])) == [
        dict(points=[[1, 2]])]


def test_prompts_by_frame(tmp_path):
    """Of a file that goes by frame, else all of ``--frame``."""
    path = tmp_path / 'prompts.json'

    def arguments(*words):
        return program.make_parser().parse_args(['track', 'a.mp4', *words])

    def read(content, *words):
        path.write_text(content)
        return read_frame_prompts(arguments('--prompts', str(path), *words))

    assert read('{"12": [{"text": "a"}], "3": {"points": [[1, 2]]}}') == {
        12: [dict(text='a')], 3: [dict(points=[[1, 2]])]}
    assert read('[{"text": "a"}]', '--frame', '5') == read('{"text": "a"}', '--frame', '5') == {5: [dict(text='a')]}
    with pytest.raises(ValueError, match='frame 12 of .*prompts.json must hold a list of objects'):
        read('{"12": ["a"]}')
    assert arguments('--start', '-1', '--stride', '-2').stride == -2
    assert read_frame_prompts(arguments('--point', '1', '2')) == {0: [dict(points=[[1, 2]])]}


@pytest.mark.parametrize('arguments, message', [
    (['finetune', '--train', 'a.json'], 'glee finetune: the following arguments are required: --val, --images'),
    (['predict'], 'glee predict: the following arguments are required: pictures'),
    (['fly'], 'glee: argument COMMAND: invalid choice')])
def test_missing_arguments_are_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    lines = capsys.readouterr().err.splitlines()
    assert end.value.code == WRONG_USE and len(lines) == 1 and lines[0].startswith(message) and '--help' in lines[0]

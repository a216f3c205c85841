"""The requests of docs/demo.md to a running service, as they are written but for the address."""
import re
import shlex
import shutil
import subprocess
import threading
import time

import numpy as np
import pytest
from browser import free_port
from demo_model import tiny_glee
from paths import ROOT
from PIL import Image

from projects.glee.visualization.video_writer import VideoWriter

pytest.importorskip('fastapi', reason='FastAPI is not installed: pip install -r requirements/serve.txt')
import uvicorn  # noqa: E402

from projects.glee_cli.serving.service import build_service  # noqa: E402

PAGE = (ROOT / 'docs/demo.md').read_text()
WRITTEN = 'http://127.0.0.1:8000'


@pytest.fixture(scope='module')
def address():
    """Of a service in a thread."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(build_service(tiny_glee()), port=port, log_level='warning'))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f'http://127.0.0.1:{port}'
    server.should_exit = True
    thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / 'street.jpg')
    writer = VideoWriter(tmp_path / 'street.mp4', 5)
    for number in range(3):
        writer.write(np.roll(picture, number, 1))
    writer.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python(address, folder, capsys):
    block, = (text for text in re.findall(r'```python\n(.*?)```', PAGE, re.DOTALL) if WRITTEN in text)
    known = {}
    exec(compile(block.replace(WRITTEN, address), 'demo.md', 'exec'), known)
    assert known['pet']['round'] == 2 and known['pet']['mask']['size'] == [64, 96] and capsys.readouterr().out


@pytest.mark.skipif(shutil.which('curl') is None, reason='curl is not installed')
def test_curl(address, folder):
    lines = re.findall(r'^curl .*$', PAGE, re.MULTILINE)
    answers = [subprocess.run([*shlex.split(line.replace(WRITTEN, address)), '-sf'], capture_output=True, check=True)
               for line in lines]
    assert len(lines) == 2 and b'"objects"' in answers[0].stdout
    assert (folder / 'tracked.mp4').read_bytes()[4:8] == b'ftyp'

"""A headless Chromium, and programs of ours that it visits."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterator, Optional, TypeVar
from urllib.request import urlopen

from paths import ROOT

Value = TypeVar('Value')
PATIENCE = 240.  # seconds, of a machine that has much else to do


def lacking() -> Optional[str]:
    """Why there is no browser to test with; None if there is one."""
    programs = [name for name in ('chromium', 'chromedriver') if shutil.which(name) is None]
    if programs:
        return f'{" and ".join(programs)} not found: apt-get install chromium chromium-driver'
    try:
        import selenium  # noqa: F401
    except ImportError:
        return 'selenium is not installed: pip install -r requirements/tests.txt'
    return None


def start_browser(folder: Path):
    """A selenium driver; downloads go to ``folder``."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    for argument in ('--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--window-size=1500,1250',
                     '--disable-extensions', '--disable-background-networking',
                     f'--user-data-dir={folder / "profile"}'):
        options.add_argument(argument)
    options.add_experimental_option('prefs', {'download.default_directory': str(folder)})
    return webdriver.Chrome(options=options, service=Service(shutil.which('chromedriver')))


def until(asked: Callable[[], Value], what: str) -> Value:
    """The first value of ``asked`` that is true; what the page has not drawn yet raises in between."""
    from selenium.common.exceptions import WebDriverException
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if value := asked():
                return value
        except (WebDriverException, IndexError):
            pass
        time.sleep(0.1)
    raise AssertionError(f'{what} did not come in {PATIENCE:.0f} s')


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Program:
    """A program of ours that serves at a port.

    Args:
        script: below the checkout.
        arguments: of its command line, without the port.
        port: where it serves.
        folder: where it puts temporary files.
    """

    def __init__(self, script: str, *arguments, port: int, folder: Path) -> None:
        self.address = f'http://127.0.0.1:{port}'
        environment = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT), TMPDIR=str(folder))
        self.process = subprocess.Popen(
            [sys.executable, ROOT / script, *map(str, arguments), '--port', str(port)], cwd=ROOT, env=environment,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(int(PATIENCE * 5)):
            assert self.process.poll() is None, self.process.stdout.read()
            try:
                urlopen(self.address).close()
                return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f'{self.address} does not answer')

    def end(self) -> str:
        """As a terminal that is closed ends it; what it printed."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=PATIENCE)[0]


def running(program: Program) -> Iterator[Program]:
    """The program until the fixture that yields from this ends."""
    try:
        program.wait()
        yield program
    finally:
        if program.process.poll() is None:
            program.end()

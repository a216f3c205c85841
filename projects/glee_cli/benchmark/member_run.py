"""One benchmark as one run of tools/test.py in a folder of its own, which is not run again when it is done."""
import ctypes
import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

from mmengine.config import Config

from ..configs.cfg_options import names_in

TEST = Path(__file__).resolve().parents[3] / 'tools/test.py'
STAMP = 'done.json'
LOG = 'output.log'
_POLL = 0.25  # seconds
_PRCTL = getattr(ctypes.CDLL(None), 'prctl', None)  # Linux has it
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class MemberRun:
    """What is run. ``config``: the file; ``options``: of --cfg-options; ``checkpoint``, and ``digest`` of its bytes;
    ``folder``: of logs and results; ``pictures``: draw every prediction; ``python``: the interpreter."""
    config: Path
    options: dict[str, Any]
    checkpoint: str
    digest: str
    folder: Path
    pictures: bool
    python: str

    def identity(self, cfg: Config) -> str:
        """Short name of everything that the numbers depend on but the data: the settled config and the weights."""
        settings = {key: value for key, value in cfg.to_dict().items() if key not in ('work_dir', 'launcher')}
        text = json.dumps([settings, self.digest, self.pictures], sort_keys=True, default=str)
        return hashlib.sha256(text.replace(str(self.folder), '').encode()).hexdigest()[:16]

    def result(self, identity: str) -> Optional[dict]:
        """The stamp of a finished run of the same identity."""
        try:
            stamp = json.loads((self.folder / STAMP).read_text(encoding='utf-8'))
        except (FileNotFoundError, ValueError):
            return None
        return stamp if stamp.get('identity') == identity else None

    def command(self, cfg: Config, identity: str, launcher: str) -> list[str]:
        """Words of the command line."""
        options = dict(self.options)
        if 'resume_dir' in names_in(cfg._cfg_dict):
            options['resume_dir'] = str(self.folder / f'finished_{identity}')
        words = [self.python, str(TEST), str(self.config), self.checkpoint, '--work-dir', str(self.folder), '--report']
        words += ['--show-dir', 'pictures'] if self.pictures else []
        words += ['--launcher', launcher] if launcher != 'none' else []
        return [*words, '--cfg-options', *(f'{key}={value}' for key, value in options.items())] if options else words

    def run(self, cfg: Config, identity: str, launcher: str = 'none', environment: Optional[dict] = None,
            rank: int = 0, watch: Callable[[float, str], None] = lambda seconds, progress: None) -> Optional[dict]:
        """Run it and, in the first of several processes, leave the stamp.

        The process ends with this one, however this one ends. Of one folder only one run goes at a time.

        Args:
            cfg: the config, with its options.
            identity: see ``identity``.
            launcher, environment, rank: of this one of several processes.
            watch: is called now and then with the seconds so far and the log's last "done/all".

        Returns:
            dict | None: the stamp, whose ``status`` is not 0 where something went wrong after the test (its report);
                None if the program failed before it had numbers. Its words are in ``output.log``.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / STAMP).unlink(missing_ok=True)
        log = self.folder / (LOG if rank == 0 else f'output_{rank}.log')
        with open(self.folder / f'lock_{rank}', 'w') as lock, open(log, 'w', encoding='utf-8') as output:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a run that was left alone still holds it
            begin = time.time()
            process = subprocess.Popen(
                self.command(cfg, identity, launcher), stdout=output, stderr=subprocess.STDOUT,
                env=environment, pass_fds=[lock.fileno()],
                preexec_fn=_die_with_parent if _PRCTL is not None else None)
            status, usage = _wait(process, lambda: watch(time.time() - begin, _progress(self.folder, begin)))
            seconds = time.time() - begin
        if rank != 0:
            return {} if status == 0 else None
        try:
            metrics = read_metrics(self.folder, begin)
        except FileNotFoundError:
            return None
        gpu = _gpu_memory(self.folder, begin)
        stamp = dict(identity=identity, seconds=round(seconds, 1), seconds_per_step=metrics.pop('time', None),
                     memory_mib=gpu or round(usage.ru_maxrss / 1024), memory_of='gpu' if gpu else 'process',
                     status=status,
                     metrics={key: value for key, value in metrics.items() if key != 'data_time'})
        write_whole(self.folder / STAMP, json.dumps(stamp, indent=1))
        return stamp


def digest_of(checkpoint: str) -> str:
    """SHA-256 of a file."""
    with open(checkpoint, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + '.partial')
    partial.write_text(text, encoding='utf-8')
    os.replace(partial, path)


def read_metrics(folder: Path, begin: float = 0.) -> dict[str, float]:
    """Numbers of the newest test run in a work folder that ended after ``begin``, from the file mmengine writes.

    Raises:
        FileNotFoundError: there is none.
    """
    files = [path for path in sorted(folder.glob('*/*.json')) if path.stem == path.parent.name
             and path.stat().st_mtime >= begin - 1]
    if not files:
        raise FileNotFoundError(f'{folder} has no numbers of a test run; see {folder / LOG}')
    return json.loads(files[-1].read_text(encoding='utf-8').splitlines()[-1])


def _die_with_parent() -> None:
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(process: subprocess.Popen, watch: Callable[[], None]) -> tuple[int, Any]:
    """Exit status of a process and what it used, its own children included."""
    while True:
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage
        watch()
        time.sleep(_POLL)


def _logs(folder: Path, begin: float) -> Iterator[Path]:
    return (path for path in sorted(folder.glob('*/*.log'), reverse=True)
            if path.stem == path.parent.name and path.stat().st_mtime >= begin - 1)


def _progress(folder: Path, begin: float) -> str:
    """'150/400' of the last line of the log that says so."""
    log = next(_logs(folder, begin), None)
    if log is None:
        return ''
    with open(log, 'rb') as file:
        file.seek(max(0, log.stat().st_size - 4000))
        found = re.findall(rb'\(test\) *\[ *(\d+/\d+)\]', file.read())
    return found[-1].decode() if found else ''


def _gpu_memory(folder: Path, begin: float) -> Optional[int]:
    """Highest peak of a GPU's memory that the log names, MiB."""
    log = next(_logs(folder, begin), None)
    found = re.findall(r'memory: (\d+)', log.read_text(encoding='utf-8')) if log else []
    return max(map(int, found), default=None)

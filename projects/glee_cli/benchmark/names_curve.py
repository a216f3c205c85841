"""Time and memory against the number of names as a part of a suite, see ``tools/analysis_tools/many_names.py``."""
import json
import subprocess
from pathlib import Path
from typing import Optional, Sequence

from .member_run import LOG, write_whole

TOOL = Path(__file__).resolve().parents[3] / 'tools/analysis_tools/many_names.py'
FOLDER = 'many_names'


def run_curve(work_dir: Path, model: str, checkpoint: str, digest: str, python: str,
              options: Sequence[str] = ()) -> Optional[str]:
    """Measure it below the work folder, unless that is done.

    Args:
        work_dir: of the suite.
        model: name of the model.
        checkpoint: its weights, and ``digest`` of their bytes.
        python: the interpreter.
        options: more words of the command line.

    Returns:
        str | None: what is to be said where it failed.
    """
    folder = work_dir / FOLDER
    stamp, wanted = folder / 'done.json', dict(model=model, digest=digest, options=list(options))
    if stamp.is_file() and json.loads(stamp.read_text(encoding='utf-8')) == wanted:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    words = [python, str(TOOL), '--model', model, '--weights', checkpoint, '--out', str(folder), *options]
    with open(folder / LOG, 'w', encoding='utf-8') as output:
        done = subprocess.run(words, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode:
        return f'{FOLDER} failed, see {FOLDER}/{LOG}'
    write_whole(stamp, json.dumps(wanted))
    return None


def read_curve(work_dir: Path) -> Optional[dict]:
    """``about`` and ``points`` of a finished measurement."""
    folder = work_dir / FOLDER
    if not (folder / 'done.json').is_file():
        return None
    return json.loads((folder / f'{FOLDER}.json').read_text(encoding='utf-8'))


def curve_table(work_dir: Path) -> str:
    """The table in Markdown; nothing without it."""
    path = work_dir / FOLDER / f'{FOLDER}.md'
    return '' if read_curve(work_dir) is None else '\n' + path.read_text(encoding='utf-8').replace('# ', '## ', 1)

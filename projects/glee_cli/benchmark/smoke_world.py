"""The small world of the suite ``smoke``, made by the programs that make a large one."""
import fcntl
import subprocess
from pathlib import Path

from ..exits import ConfigError
from .member_run import LOG, write_whole

TOOLS = Path(__file__).resolve().parents[3] / 'tools/dataset_converters'
READY = 'ready'
PICTURES, VIDEOS = 12, 2


def make_world(folder: Path, python: str) -> Path:
    """A MiniWorld of every source, with panoptic, VOC and SBD maps and LVIS minival, where it is not there yet.

    Raises:
        ConfigError: a program failed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix('.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first of several processes makes it
        if (folder / READY).is_file():
            return folder
        lvis = folder / 'lvis'
        for script, *words in (
                ('make_miniworld.py', '--out', folder, '--images', 1, '--val-images', PICTURES, '--videos', 1,
                 '--val-videos', VIDEOS, '--sources', 'all'),
                *(('coco_to_maps.py', folder, '--layout', layout) for layout in ('panoptic', 'voc', 'sbd')),
                ('lvis_minival.py', lvis / 'lvis_v1_val.json', lvis / 'lvis_v1_minival_inserted_image_name.json')):
            log = folder.parent / f'{folder.name}_{LOG}'
            with open(log, 'a', encoding='utf-8') as output:
                done = subprocess.run([python, str(TOOLS / script), *map(str, words)], stdout=output,
                                      stderr=subprocess.STDOUT, pass_fds=[lock.fileno()])
            if done.returncode:
                raise ConfigError(f'{script} could not make {folder}: see {log}')
        write_whole(folder / READY, '')
    return folder

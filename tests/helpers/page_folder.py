"""A folder for the reader of a page: a checkout, the files that pages take for granted, and programs in short form.

``python``, ``glee`` and ``torchrun`` are forks (``fork_server``) that run what they are asked to run by ``short_form``.
Weights are random. Data sets are the MiniWorld of all tests at the places of the real ones, and in data/miniworld/.
"""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import torch
from browser import free_port
from fork_server import ForkServer
from image_files import write_json
from page_commands import Item
from paths import CONFIGS, FORMATS, HELPERS, ROOT
from PIL import Image
from worlds import own_copy

from projects.glee.visualization.video_writer import VideoWriter

# Written to by a converter of docs/DATA.md, or by a test of it.
CHANGED = ('annotations', 'coco', 'lvis', 'openimages', 'visual_genome', 'SA1B_scaleup', 'UVO', 'bdd100k',
           'ytvis_2019', 'ref-youtube-vos', 'GRIT20M', 'TAO', 'ytbvos18', 'mose')
SHIMS = {
    'bin/python': 'exec {python} {helpers}/short_form.py "$@"',
    '.venv/bin/python': 'exec {python} {helpers}/short_form.py "$@"',
    'bin/glee': 'exec {python} {helpers}/short_form.py {root}/tools/glee.py "$@"',
    'bin/mkdocs': 'exec {python} {helpers}/short_form.py {mkdocs} "$@"',
    'bin/pip': 'exit 1',  # a test installs nothing
    # two processes in the place of as many as the page has
    'bin/torchrun': 'while [[ $1 != *.py ]]; do shift; done\nPYTHON_EXEC={bin}/python CUDA_VISIBLE_DEVICES= exec '
                    '{python} {torchrun} --standalone --nproc-per-node 2 "$@"',
}


class PageFolder:
    """``folder``: where commands of a page are typed (see ``lay_out``); ``text``: of the page."""

    def __init__(self, folder: Path, text: str, server: ForkServer) -> None:
        self.folder, self.before = folder, []
        self._commands = ' '.join(re.findall(r'```bash\n.*?```', text, re.DOTALL))
        words = dict(python=server.python, helpers=HELPERS, root=ROOT, bin=folder / 'bin',
                     mkdocs=Path(sys.executable).with_name('mkdocs'),
                     torchrun=Path(torch.distributed.__file__).with_name('run.py'))
        for name, line in SHIMS.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f'#!/bin/bash\n{line.format(**words)}\n')
            (folder / name).chmod(0o755)
        self.environment = dict(
            os.environ, PATH=f'{folder}/bin:{os.environ["PATH"]}', PYTHONPATH=f'{folder}:{ROOT}:{HELPERS}', PAGE=text,
            OMP_NUM_THREADS='1', GLEE_PYTHON=f'{folder}/bin/python')

    def run(self, item: Item, text: str, **environment: str) -> None:
        """Run ``text`` in the place of the item's, with what lines before it have set for the shell.

        Raises:
            AssertionError: it ends with an error.
        """
        if item.language == 'python':
            text = self._save(item.file, text)
        if 'PORT' in text:
            environment['PORT'] = str(free_port())
            text = text.replace('PORT', environment['PORT'])
        done = subprocess.run(['bash', '-ec', '\n'.join([*self.before, text])], cwd=self.folder, text=True,
                              env=dict(self.environment, **environment), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f'{item.page}: {text}\n{done.stdout[-4000:]}'
        if item.text.startswith('export ') or '=' in item.text.split()[0]:
            self.before.append(item.text)

    def _save(self, file: str, block: str) -> str:
        """Write a block of Python to a file; the command that runs it.

        A config that says nothing but how to test is tested, others train; none of both if a command of the page does.
        """
        if bases := re.findall(r"'([./\w]+\.py)'", ''.join(re.findall('^_base_ = .*', block))):
            folders = [self.folder / Path(file).parent, *sorted((self.folder / 'configs/glee').glob('*/'))]
            file = next(folder for folder in folders if all((folder / base).is_file() for base in bases)
                        ).relative_to(self.folder) / Path(file).name
        (self.folder / file).write_text(block)
        if Path(file).name in self._commands:
            return 'true'
        if not block.startswith('_base_ = '):
            return f'python {file}'
        return (f'python tools/test.py {file} glee_lite.pth' if 'test_' in block and 'train_' not in block
                else f'python tools/train.py {file}')


def lay_out(folder: Path, world: Path, data: Path, checkpoints: dict[str, Path], writes_data: bool) -> None:
    """The checkout, data, pictures, a video, files of objects and weights, by the names that pages have for them.

    Args:
        folder: is made.
        world: MiniWorld of all sources.
        data: the same with what it lacks of the files of benchmarks, see page_data.
        checkpoints: {path below the folder: file}.
        writes_data: the page's commands make such files themselves.
    """
    own_copy(world if writes_data else data, folder / 'data', *(CHANGED if writes_data else ()))
    own_copy(world, folder / 'data/miniworld', 'coco')
    shutil.copytree(CONFIGS, folder / 'configs/glee', copy_function=os.symlink)  # a page may add some
    for name in ('README.md', 'docs', 'mkdocs.yml', 'projects', 'requirements', 'tools', 'setup.cfg'):
        (folder / name).symlink_to(ROOT / name)
    write_pictures(folder)
    write_own_files(folder, world)
    (folder / 'data/pets').symlink_to(folder / 'pets')
    if writes_data:
        write_owners_files(folder)
    for name, path in checkpoints.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(path)


def write_pictures(folder: Path) -> None:
    """One picture by several names, a folder of two, a video of 14 frames."""
    pictures = np.random.default_rng(0).integers(0, 256, (14, 64, 96, 3), dtype=np.uint8)
    for name in ('street.jpg', 'new.jpg', 'pets.jpg', 'kitchen.jpg', 'photos/a.jpg', 'photos/b.jpg', 'more_pics/a.jpg'):
        (folder / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pictures[0]).resize((192, 128) if name == 'pets.jpg' else (96, 64)).save(folder / name)
    writer = VideoWriter(folder / 'street.mp4', 5)
    for picture in pictures:
        writer.write(picture)
    writer.close()
    shutil.copy(folder / 'street.mp4', folder / 'film.mp4')


def write_own_files(folder: Path, world: Path) -> None:
    """Pictures of cats and dogs with masks, as COCO and as JSON lines, and of three kinds of cells as Pascal VOC."""
    content = json.loads((world / 'coco/annotations/instances_train2017.json').read_text())
    names = {row['id']: ('cat', 'dog')[number % 2] for number, row in enumerate(content['categories'])}
    categories = [dict(id=1, name='cat'), dict(id=2, name='dog')]
    half = len(content['images']) // 2
    for part, images in dict(train=content['images'][:half], val=content['images'][half:]).items():
        known = {row['id'] for row in images}
        rows = [dict(row, category_id=1 + (names[row['category_id']] == 'dog')) for row in content['annotations']
                if row['image_id'] in known]
        for name in (f'pets/{part}.json', dict(train='my.json', val='my_val.json')[part]):
            write_json(folder / name, dict(images=images, annotations=rows, categories=categories))
        boxes = [(row, [one for one in rows if one['image_id'] == row['id']]) for row in images]
        for list_of in (part, 'test'):
            write_voc(folder / 'BCCD', list_of, boxes, ('RBC', 'WBC', 'Platelets'))
        write_voc(folder / 'my_boxes', part, boxes, ('RBC', 'WBC', 'Platelets'))
        if part == 'train':
            for name in ('train.jsonl', 'my_boxes/train.jsonl'):
                write_odvg(folder / name, boxes)
    write_json(folder / 'sets.json', dict(pets=dict(
        train='pets/train.json', val='pets/val.json', images='pets/images')))
    (folder / 'labels.json').write_text(json.dumps({'0': 'cat', '1': 'dog'}))
    for name in ('pets/images', 'pics', 'BCCD/JPEGImages', 'my_boxes/JPEGImages'):
        shutil.copytree(world / 'coco/train2017', folder / name, dirs_exist_ok=True)


def write_voc(folder: Path, part: str, pictures: list, names: tuple) -> None:
    """An XML file for each picture, and the list of a part."""
    for place in ('Annotations', 'ImageSets/Main'):
        (folder / place).mkdir(parents=True, exist_ok=True)
    stems = [Path(image['file_name']).stem for image, _ in pictures]
    (folder / f'ImageSets/Main/{part}.txt').write_text('\n'.join(stems) + '\n')
    random.seed(0)
    for image, rows in pictures:
        objects = ''.join(
            f'<object><name>{random.choice(names)}</name><bndbox><xmin>{int(x) + 1}</xmin><ymin>{int(y) + 1}</ymin>'
            f'<xmax>{int(x + w)}</xmax><ymax>{int(y + h)}</ymax></bndbox></object>'
            for x, y, w, h in (row['bbox'] for row in rows))
        (folder / f'Annotations/{Path(image["file_name"]).stem}.xml').write_text(
            f'<annotation><filename>{image["file_name"]}</filename><size><width>{image["width"]}</width><height>'
            f'{image["height"]}</height><depth>3</depth></size>{objects}</annotation>')


def write_odvg(path: Path, pictures: list) -> None:
    """A line for each picture, whose objects have a number for a name."""
    path.parent.mkdir(exist_ok=True)
    path.write_text('\n'.join(json.dumps(dict(
        filename=image['file_name'], height=image['height'], width=image['width'], detection=dict(instances=[
            dict(bbox=[x, y, x + w, y + h], label=row['category_id'] - 1)
            for row in rows for x, y, w, h in [row['bbox']]]))) for image, rows in pictures))


def write_owners_files(folder: Path) -> None:
    """What MiniWorld does not have as its owner publishes it: an archive of SA-1B and excerpts of public files."""
    original, images = folder / 'data/SA1B_scaleup/original', folder / 'data/SA1B_scaleup/images'
    with tarfile.open(folder / 'sa_000000.tar', 'w') as archive:
        for path in [*original.rglob('*.json'), *images.rglob('*.jpg')]:
            archive.add(path, path.name)
    shutil.rmtree(original)
    shutil.rmtree(images)
    for name in ('objects', 'region_descriptions', 'image_data'):
        shutil.copy(FORMATS / f'visual_genome/{name}.json', folder / 'data/visual_genome')
    shutil.copy(FORMATS / 'uvo/UVO_frame_val.json', folder / 'data/UVO/annotations/FrameSet/UVO_frame_train.json')
    shutil.copy(FORMATS / 'uvo/UVO_video_val_dense_with_label.json',
                folder / 'data/UVO/annotations/VideoDenseSet/UVO_video_train_dense_with_label.json')
    shutil.copytree(FORMATS / 'bdd/rles', folder / 'data/bdd100k/labels/seg_track_20/rles/train')

"""The data that the commands of pages read: MiniWorld and, beside it, what it lacks of the files of benchmarks."""
import json
from pathlib import Path

from image_files import write_json
from mmengine.config import Config
from paths import CONFIGS
from tool_runner import run_tool
from worlds import own_copy

from projects.glee.datasets.conversion import convert_lvis_minival
from projects.glee.datasets.vocabularies import load_vocabulary

FEW_SHOT = 'Aquarium'  # the set in the wild that has pictures to train on


def build_page_data(world: Path, root: Path) -> Path:
    """Links to ``world`` and the files of benchmarks that it does not have; returns ``root``.

    Args:
        world: MiniWorld of all sources.
        root: is made.
    """
    own_copy(world, root, 'coco', 'lvis', 'TAO', 'odinw')
    for layout in ('panoptic', 'voc', 'sbd'):
        run_tool('dataset_converters/coco_to_maps.py', root, '--layout', layout)
    run_tool('dataset_converters/coco_to_maps.py', root, '--layout', 'panoptic', '--split', 'train2017')
    convert_lvis_minival(root / 'lvis/lvis_v1_val.json', root / 'lvis/lvis_v1_minival_inserted_image_name.json')
    rename_tao(root / 'TAO/TAO_annotations')
    write_wild_sets(root / 'odinw/dataset', root / 'coco')
    return root


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def rename_tao(folder: Path) -> None:
    """MiniWorld's categories get the names that GLEE asks for on TAO, and the others of those are there too."""
    names = load_vocabulary('tao')
    for path in (folder / 'validation.json', folder / 'validation_ytvisfmt.json'):
        content = read(path)
        rows = content['categories']
        free = max(row['id'] for row in rows) + 1
        assert len(rows) < len(names)
        content['categories'] = [dict(row, name=name) for row, name in zip(rows, names)] + [
            dict(rows[0], id=free + number, name=name, merged=[]) for number, name in enumerate(names[len(rows):])]
        write_json(path, content)


def write_wild_sets(root: Path, coco: Path) -> None:
    """A picture of each of the 35 sets, whose objects have as many names as its prompts."""
    sets = Config.fromfile(CONFIGS / '_base_/datasets/odinw.py')
    for name, (folder, annotations, pictures) in sets.folders.items():
        prompts = sets.released_prompts.get(name)
        names = [f'{name} {number}' for number in range(len(load_vocabulary(prompts)) if prompts else 2)]
        write_wild_set(root / folder, annotations, pictures, coco, 'val', names, 1)
        if name == FEW_SHOT:
            write_wild_set(root / folder, annotations.replace('valid', 'train'), 'train', coco, 'train', names)


def write_wild_set(root: Path, annotations: str, pictures: str, coco: Path, split: str, names: list[str],
                   count: int | None = None) -> None:
    """The first pictures of a split, all by default, with objects of ``names``."""
    content = read(coco / f'annotations/instances_{split}2017.json')
    images = content['images'][:count]
    known = {row['id'] for row in images}
    (root / pictures).mkdir(parents=True, exist_ok=True)
    for row in images:
        (root / pictures / row['file_name']).symlink_to(coco / f'{split}2017' / row['file_name'])
    write_json(root / annotations, dict(
        images=images, categories=[dict(id=number, name=name) for number, name in enumerate(names, 1)],
        annotations=[dict(row, category_id=1 + number % len(names)) for number, row in enumerate(
            content['annotations']) if row['image_id'] in known]))

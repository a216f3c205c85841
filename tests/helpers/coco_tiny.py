"""80 photographs of COCO val2017 with official annotations, where a developer has them, in the layouts of test sets."""
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from tool_runner import run_tool

ODINW = 'odinw/dataset/Aquarium/Aquarium Combined.v2-raw-1024.coco/valid'

STUFF = dict(id=199, name='wall-other-merged')


def find_coco_tiny() -> Path:
    """The folder; the test is skipped where it is not there."""
    folder = Path(os.environ.get('GLEE_REAL_DATA', ''), 'coco_tiny').resolve()
    if not (folder / 'annotations/instances_val2017.json').is_file():
        pytest.skip('the 80 photographs of COCO_Tiny are not in $GLEE_REAL_DATA/coco_tiny')
    return folder


def lay_out(source: Path, root: Path) -> dict:
    """Below ``root`` the photographs as COCO, LVIS, UVO frames, a set of ODinW and COCO panoptic; the content of the
    annotation file."""
    pictures = source / 'val2017'
    for place in ('coco/val2017', 'UVO/uvo_videos_sparse_frames', ODINW):
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if place == ODINW:
            shutil.copytree(pictures, target, copy_function=os.symlink)  # the annotations lie beside them
        else:
            target.symlink_to(pictures)
    content = json.loads((source / 'annotations/instances_val2017.json').read_text())
    write(root / 'coco/annotations/instances_val2017.json', content)
    write(root / ODINW / 'annotations_without_background.json', content)
    write(root / 'UVO/annotations/FrameSet/UVO_frame_val_onecate.json', dict(
        content, categories=[dict(id=1, name='object')],
        annotations=[dict(row, category_id=1) for row in content['annotations']]))
    write(root / 'lvis/lvis_v1_val.json', as_lvis(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('rich.progress.track', lambda items, *_, **__: items)
        run_tool('dataset_converters/coco_to_maps.py', root, '--layout', 'panoptic')
    rename_background(root / 'coco/annotations/panoptic_val2017.json')
    return content


def rename_background(path: Path) -> None:
    """What no object covers is one of COCO's names of stuff."""
    content = json.loads(path.read_text())
    own = content['categories'][-1]['id']
    content['categories'][-1].update(STUFF)
    for picture in content['annotations']:
        for segment in picture['segments_info']:
            segment['category_id'] = STUFF['id'] if segment['category_id'] == own else segment['category_id']
    path.write_text(json.dumps(content))


def as_lvis(content: dict) -> dict:
    """The same objects without crowds, which LVIS has not; a third of the categories is rare, common, frequent each."""
    images = [dict(row, neg_category_ids=[], not_exhaustive_category_ids=[]) for row in content['images']]
    rows = [{key: value for key, value in row.items() if key != 'iscrowd'} for row in content['annotations']
            if not row['iscrowd']]
    categories = [dict(row, frequency='rcf'[number % 3], synset=row['name'], synonyms=[row['name']], image_count=1,
                       instance_count=1, **{'def': ''}) for number, row in enumerate(content['categories'])]
    return dict(images=images, annotations=rows, categories=categories)


def scores_of(image: int, count: int) -> np.ndarray:
    """Different scores of the objects of an image."""
    return np.random.default_rng(image).permutation(count) / count * 0.5 + image % 997 / 2000


def write(path: Path, content: dict) -> None:
    """A JSON file, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))

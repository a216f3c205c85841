"""80 photographs of COCO val2017 with official annotations, where a developer has them, in the layouts of test sets."""
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmdet.datasets import CocoPanopticDataset
from tool_runner import run_tool

from projects.glee.datasets.vocabularies import load_vocabulary, name_key

ODINW = 'odinw/dataset/Aquarium/Aquarium Combined.v2-raw-1024.coco/valid'
LINKED = ('coco/val2017', 'coco/test2017', 'UVO/uvo_videos_sparse_frames', 'Objects365V2/val/patch0',
          'openimages/detection/validation', 'bdd100k/images/100k/val', 'bdd100k/images/10k/val',
          'omnilabel/images/coco')
FILES = {  # by config
    'coco-val': 'coco/annotations/instances_val2017.json', 'lvis': 'lvis/lvis_v1_val.json',
    'lvis-minival': 'lvis/lvis_v1_minival_inserted_image_name.json',
    'objects365': 'Objects365V2/annotations/zhiyuan_objv2_val_new.json',
    'openimages': 'openimages/openimages_v6_val_bbox_splitdir.json',
    'uvo': 'UVO/annotations/FrameSet/UVO_frame_val_onecate.json',
    'bdd_det': 'bdd100k/labels/det_20/det_val_cocofmt.json',
    'bdd_inst': 'bdd100k/labels/ins_seg/polygons/ins_seg_val_cocoformat.json'}
STREET = {name: name for name in ('car', 'truck', 'bus', 'train', 'motorcycle', 'bicycle')} | {'person': 'pedestrian'}

STUFF, FIRST_STUFF = 'wall-other-merged', 92


def find_coco_tiny() -> Path:
    """The folder; the test is skipped where it is not there."""
    folder = Path(os.environ.get('GLEE_REAL_DATA', ''), 'coco_tiny').resolve()
    if not (folder / 'annotations/instances_val2017.json').is_file():
        pytest.skip('the 80 photographs of COCO_Tiny are not in $GLEE_REAL_DATA/coco_tiny')
    return folder


def lay_out(source: Path, root: Path) -> dict[str, dict]:
    """Below ``root`` the photographs as every member of the suites has them whose content there is.

    Returns:
        {config: content of its annotation file}, of OmniLabel as a COCO file.
    """
    pictures = source / 'val2017'
    for place in LINKED:
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).symlink_to(pictures)
    shutil.copytree(pictures, root / ODINW, copy_function=os.symlink)  # the annotations lie beside them
    content = json.loads((source / 'annotations/instances_val2017.json').read_text())
    contents = dict(
        {'coco-val': content, 'lvis': as_lvis(content), 'lvis-minival': as_lvis(content, 'val2017/{}')},
        objects365=renamed(content, spelled_as('objects365_v2', content), 'images/v1/patch0/{}', with_masks=False),
        openimages=renamed(content, spelled_as('openimages_v6', content), 'validation/{}', with_masks=False),
        bdd_det=renamed(content, STREET | {'traffic light': 'traffic light', 'stop sign': 'traffic sign'},
                        with_masks=False),
        bdd_inst=renamed(content, STREET), uvo=as_one_category(content))
    for name, path in FILES.items():
        write(root / path, contents[name])
    write(root / 'coco/annotations/image_info_test-dev2017.json',
          {key: rows for key, rows in content.items() if key != 'annotations'})
    write(root / ODINW / 'annotations_without_background.json', content)
    contents['omnilabel'] = write_names(root / 'omnilabel/dataset_all_val_v0.1.3.json', content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('rich.progress.track', lambda items, *_, **__: items)
        run_tool('dataset_converters/coco_to_maps.py', root, '--layout', 'panoptic', 'voc', 'sbd')
    rename_background(root / 'coco/annotations/panoptic_val2017.json')
    return contents


def as_one_category(content: dict) -> dict:
    """All objects are 'object'."""
    return dict(content, categories=[dict(id=1, name='object')],
                annotations=[dict(row, category_id=1) for row in content['annotations']])


def spelled_as(vocabulary: str, content: dict) -> dict[str, str]:
    """{name: its spelling there} of the names that a vocabulary has too."""
    known = {name_key(name): name for name in load_vocabulary(vocabulary)}
    names = [row['name'] for row in content['categories']]
    return {name: known[name_key(name)] for name in names if name_key(name) in known}


def renamed(content: dict, names: dict[str, str], file_name: str = '{}', with_masks: bool = True) -> dict:
    """The objects of some names under others, with ids from 1 and other names of the pictures."""
    old = {row['id']: row['name'] for row in content['categories']}
    ids = {name: number for number, name in enumerate(dict.fromkeys(names.values()), 1)}
    dropped = () if with_masks else ('segmentation', )
    return dict(
        images=[dict(row, file_name=file_name.format(row['file_name'])) for row in content['images']],
        categories=[dict(id=number, name=name) for name, number in ids.items()],
        annotations=[{key: value for key, value in dict(row, category_id=ids[names[old[row['category_id']]]]).items()
                      if key not in dropped} for row in content['annotations'] if old[row['category_id']] in names])


def write_names(path: Path, content: dict) -> dict:
    """OmniLabel's file, which asks for all names in all pictures; what it holds, but for crowds, as a COCO file."""
    rows = [row for row in content['annotations'] if not row['iscrowd']]
    images = [dict(row, file_name=f'coco/{row["file_name"]}') for row in content['images']]
    everywhere = [row['id'] for row in images]
    write(path, dict(images=images, descriptions=[
        dict(id=row['id'], text=row['name'], image_ids=everywhere, anno_info=dict(type='object_category'))
        for row in content['categories']], annotations=[
            dict(id=row['id'], image_id=row['image_id'], bbox=row['bbox'], description_ids=[row['category_id']])
            for row in rows]))
    return dict(content, annotations=rows)


def rename_background(path: Path) -> None:
    """The file lists all of COCO's names of stuff, and what no object covers is one of them."""
    content = json.loads(path.read_text())
    own = content['categories'][-1]['id']
    names = CocoPanopticDataset.METAINFO['stuff_classes']
    content['categories'][-1:] = [dict(id=FIRST_STUFF + number, name=name, isthing=0, supercategory='stuff')
                                  for number, name in enumerate(names)]
    wall = FIRST_STUFF + names.index(STUFF)
    for picture in content['annotations']:
        for segment in picture['segments_info']:
            segment['category_id'] = wall if segment['category_id'] == own else segment['category_id']
    path.write_text(json.dumps(content))


def as_lvis(content: dict, file_name: str = '{}') -> dict:
    """The same objects without crowds, which LVIS has not; a third of the categories is rare, common, frequent each.

    Where ``file_name`` has the folder there is no URL that tells it.
    """
    pictures = [{key: value for key, value in row.items() if key != 'coco_url' or '/' not in file_name}
                for row in content['images']]
    images = [dict(row, file_name=file_name.format(row['file_name']), neg_category_ids=[],
                   not_exhaustive_category_ids=[]) for row in pictures]
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

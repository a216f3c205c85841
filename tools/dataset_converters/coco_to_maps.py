"""Write the objects of a COCO instances file as maps: COCO panoptic, Pascal VOC and SBD layouts.

Examples:
    python tools/dataset_converters/coco_to_maps.py data/miniworld --layout panoptic
    python tools/dataset_converters/coco_to_maps.py data/miniworld --layout voc sbd --split val2017

Reads ROOT/coco/annotations/instances_SPLIT.json and ROOT/coco/SPLIT/. Writes
    panoptic: ROOT/coco/annotations/panoptic_SPLIT.json and panoptic_SPLIT/*.png; what no object covers is
              the stuff "background"
    voc:      ROOT/VOCdevkit/VOC2012/{JPEGImages,SegmentationObject,SegmentationClass,ImageSets/Segmentation}
    sbd:      ROOT/benchmark_RELEASE/dataset/{img,inst,val.txt}
Objects are drawn in the order of the file, later ones on top; crowds are left out.
"""
import filecmp
import json
import os
import shutil
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Iterator

import numpy as np
from PIL import Image
from rich.progress import track
from scipy.io import savemat

from projects.glee.datasets.store.broken_rows import BrokenRows, report
from projects.glee.datasets.store.output_names import names_of_pictures
from projects.glee.datasets.store.rows import size_of
from projects.glee.evaluation.functional.coco_truth import TruthFile
from projects.glee.structures.masks import bounding_box, decode, encode, to_rle
from projects.glee.structures.palette import palette_picture
from projects.glee.structures.panoptic_ids import id2rgb
from projects.glee.structures.row_values import BrokenRow, image_size, string

BACKGROUND = 'background'
VOC_NUMBERS = 254  # of one byte, without background and void


def read_objects(path: Path, folder: Path) -> dict:
    """The content of a file, its images by id; those without a name or a size are named and left out."""
    truth, broken, images, pictures = TruthFile(str(path)), BrokenRows(), [], []
    for image in sorted(truth.content['images'], key=lambda row: (isinstance(row['id'], str), row['id'])):
        try:
            size = size_of(image, str(folder / string(image.get('file_name'), 'file_name')), BrokenRows())
            pictures.append(dict(zip(('width', 'height'), size), img_id=image['id']))
            images.append(image)
        except BrokenRow as problem:
            broken.add(str(problem), image.where)
    report(broken.reasons, str(path))
    truth.learn_sizes(pictures)
    for image, name in zip(images, names_of_pictures(image['file_name'] for image in images)):
        image['map_name'] = name
    return dict(truth.content, images=images)


def object_maps(content: dict) -> Iterator[tuple[dict, list[dict], np.ndarray]]:
    """Image record, its objects, and a map (H, W) of their numbers from 1, for each image."""
    by_image = {image['id']: [] for image in content['images']}
    for row in content['annotations']:
        if row['image_id'] in by_image and not row['iscrowd']:
            by_image[row['image_id']].append(row)
    for image in content['images']:
        size, objects = image_size(image)[::-1], by_image[image['id']]
        numbers = np.zeros(size, dtype=np.int32)
        for number, annotation in enumerate(objects, 1):
            numbers[decode(to_rle(annotation['segmentation'], *size))] = number
        yield image, objects, numbers


def box_and_area(mask: np.ndarray) -> dict:
    """COCO box (x, y, width, height) and area of a mask (H, W)."""
    return dict(bbox=bounding_box(encode(mask)), area=int(mask.sum()))


def write_panoptic(root: Path, split: str, content: dict) -> None:
    """Panoptic JSON and PNGs; ids of categories stay, the background gets the next free one."""
    folder = root / f'coco/annotations/panoptic_{split}'
    folder.mkdir(parents=True, exist_ok=True)
    categories = [dict(id=c['id'], name=c['name'], supercategory=c.get('supercategory', ''), isthing=1)
                  for c in content['categories']]
    stuff = max((c['id'] for c in categories if isinstance(c['id'], int)), default=0) + 1
    categories.append(dict(id=stuff, name=BACKGROUND, supercategory='stuff', isthing=0))
    annotations = []
    for image, objects, numbers in track(object_maps(content), f'panoptic {split}', total=len(content['images'])):
        ids = np.where(numbers == 0, len(objects) + 1, numbers)
        names = [*(o['category_id'] for o in objects), stuff]
        segments = [dict(id=number, category_id=names[number - 1], iscrowd=0, **box_and_area(ids == number))
                    for number in np.unique(ids).tolist()]
        Image.fromarray(id2rgb(ids)).save(made(folder / f'{image["map_name"]}.png'))
        annotations.append(dict(image_id=image['id'], file_name=f'{image["map_name"]}.png', segments_info=segments))
    images = [{key: value for key, value in image.items() if key != 'map_name'} for image in content['images']]
    (folder.parent / f'panoptic_{split}.json').write_text(json.dumps(
        dict(images=images, annotations=annotations, categories=categories)))


def made(path: Path) -> Path:
    """The path, whose folder is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def link(source: Path, target: Path) -> None:
    """Make ``target`` the same picture, without a copy where the file system can.

    Raises:
        ValueError: it is another picture already.
    """
    if made(target).exists():
        if not filecmp.cmp(source, target, shallow=False):
            raise ValueError(f'{target} is another picture than {source}: two splits have a name in common')
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def write_voc(root: Path, split: str, content: dict) -> None:
    """VOC 2012 segmentation layout; classes are positions among the categories, from 1.

    Raises:
        ValueError: more than the 254 objects of an image or categories that a map holds.
    """
    base, names = root / 'VOCdevkit/VOC2012', []
    label = {c['id']: i for i, c in enumerate(content['categories'], 1)}
    if len(label) > VOC_NUMBERS:
        raise ValueError(f'there are {len(label)} categories, a VOC map holds {VOC_NUMBERS}')
    for image, objects, numbers in track(object_maps(content), f'VOC {split}', total=len(content['images'])):
        if len(objects) > VOC_NUMBERS:
            raise ValueError(f'image {image["file_name"]} has {len(objects)} objects, a VOC map holds {VOC_NUMBERS}')
        name = image['map_name']
        classes = np.array([0, *(label[o['category_id']] for o in objects)])[numbers]
        for folder, pixels in (('SegmentationObject', numbers), ('SegmentationClass', classes)):
            palette_picture(pixels.astype(np.uint8)).save(made(base / folder / f'{name}.png'))
        link(root / 'coco' / split / image['file_name'], base / f'JPEGImages/{name}.jpg')
        names.append(name)
    list_file = made(base / f'ImageSets/Segmentation/{split.rstrip("0123456789")}.txt')
    list_file.write_text('\n'.join(names) + '\n')


def write_sbd(root: Path, split: str, content: dict) -> None:
    """SBD layout; classes are positions among the categories, from 1. Numbers beyond 255 are written in 16 bits."""
    base, names = root / 'benchmark_RELEASE/dataset', []
    label = {c['id']: i for i, c in enumerate(content['categories'], 1)}
    for image, objects, numbers in track(object_maps(content), f'SBD {split}', total=len(content['images'])):
        name, categories = image['map_name'], [[label[o['category_id']]] for o in objects]
        savemat(made(base / f'inst/{name}.mat'), dict(GTinst=dict(
            Segmentation=small_integers(numbers), Categories=small_integers(categories).reshape(-1, 1),
            Boundaries=np.zeros((len(objects), 0)))))
        link(root / 'coco' / split / image['file_name'], base / f'img/{name}.jpg')
        names.append(name)
    made(base / f'{split.rstrip("0123456789")}.txt').write_text('\n'.join(names) + '\n')


def small_integers(values) -> np.ndarray:
    """Numbers from 0 in the smallest type that holds them, uint8 as SBD's own files have."""
    values = np.asarray(values, np.int64)
    return values.astype(np.min_scalar_type(values.max(initial=0)))


WRITERS = dict(panoptic=write_panoptic, voc=write_voc, sbd=write_sbd)


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path, help='data root, with coco/ in it')
    parser.add_argument('--split', default='val2017', help='name of the split, e.g. val2017')
    parser.add_argument('--layout', nargs='+', choices=list(WRITERS), default=list(WRITERS), help='what to write')
    args = parser.parse_args()
    file = args.root / f'coco/annotations/instances_{args.split}.json'
    if not file.is_file():
        parser.error(f'there is no {file}: name the data root and the split')
    try:
        content = read_objects(file, args.root / 'coco' / args.split)
    except ValueError as error:
        parser.error(str(error))
    for layout in args.layout:
        try:
            WRITERS[layout](args.root, args.split, content)
        except ValueError as error:
            parser.exit(1, f'{parser.prog}: layout {layout}: {error}\n')


if __name__ == '__main__':
    main()

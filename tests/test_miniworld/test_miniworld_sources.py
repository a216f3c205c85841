"""MiniWorld's miniatures of the sources of images beside COCO, LVIS, RefCOCO and Objects365."""
import csv
import hashlib
import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils
from worlds import IMAGES, SEED, VAL_IMAGES

from projects.glee.miniworld import SOURCES, build_miniworld
from projects.glee.miniworld.image_sources import IMAGE_SOURCES
from projects.glee.miniworld.world.pictures import take_pictures

# annotation file -> folder of its images, number of images
FILES = {
    'openimages/openimages_v6_train_bbox_splitdir.json': ('openimages/detection', IMAGES),
    'openimages/openimages_v6_val_bbox_splitdir.json': ('openimages/detection', VAL_IMAGES),
    'bdd100k/labels/det_20/det_train_cocofmt.json': ('bdd100k/images/100k/train', IMAGES),
    'bdd100k/labels/det_20/det_val_cocofmt.json': ('bdd100k/images/100k/val', VAL_IMAGES),
    'bdd100k/labels/ins_seg/polygons/ins_seg_train_cocoformat.json': ('bdd100k/images/10k/train', IMAGES),
    'bdd100k/labels/ins_seg/polygons/ins_seg_val_cocoformat.json': ('bdd100k/images/10k/val', VAL_IMAGES),
    'visual_genome/annotations/train_from_objects.json': ('visual_genome/images', IMAGES),
    'visual_genome/annotations/train.json': ('visual_genome/images', IMAGES),
    'GRIT20M/grit_30w.json': ('GRIT20M/images', IMAGES),
    'GRIT20M/grit_5m.json': ('GRIT20M/images', IMAGES),
    'UVO/annotations/FrameSet/UVO_frame_train_onecate.json': ('UVO/uvo_videos_sparse_frames', IMAGES),
    'UVO/annotations/FrameSet/UVO_frame_val_onecate.json': ('UVO/uvo_videos_sparse_frames', VAL_IMAGES),
    'SA1B_scaleup/sa1b_500k.json': ('SA1B_scaleup/images', 3),
    'SA1B_scaleup/sa1b_1m.json': ('SA1B_scaleup/images', 5),
    'SA1B_scaleup/sa1b_2m.json': ('SA1B_scaleup/images', IMAGES),
}


def read(path):
    return json.loads(path.read_text())


def hashes(root, folder=''):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((root / folder).rglob('*')) if path.is_file()
    }


def drawn(source, count=IMAGES):
    return list(take_pictures(f'{source}_train', SEED, count))


def test_the_scenes_of_a_seed_stay_the_same():
    """Trained models depend on it: raise VERSION of the world where this has to change."""
    scenes = repr([picture.scene for picture in take_pictures('coco_train', 0, 5)])
    assert hashlib.sha256(scenes.encode()).hexdigest() == (
        '5badfe5603a39316a15fb01b4837094b751d5bcc4e6a7cef128c6a4635c64d43')


def test_a_source_does_not_depend_on_the_others(world, tmp_path):
    assert build_miniworld(tmp_path / 'w', IMAGES, seed=SEED, val_images=VAL_IMAGES, sources=('sa1b', 'openimages'))
    alone = {name: value for name, value in hashes(tmp_path / 'w').items() if name != 'miniworld.json'}
    together = hashes(world, 'SA1B_scaleup') | hashes(world, 'openimages')
    assert alone == together and len(alone) > 40
    assert set(IMAGE_SOURCES) < set(SOURCES)


@pytest.mark.parametrize('file', FILES)
def test_files_fit_their_images(world, file):
    folder, count = FILES[file]
    content = read(world / file)
    images = {image['id']: image for image in content['images']}
    assert len(images) == len(content['images']) == count
    for image in images.values():
        assert cv2.imread(str(world / folder / image['file_name'])).shape == (image['height'], image['width'], 3)
    categories = {category['id'] for category in content['categories']}
    ids = [entry['id'] for entry in content['annotations']]
    assert len(ids) == len(set(ids)) >= 1.5 * count
    for entry in content['annotations']:
        image, (x, y, width, height) = images[entry['image_id']], entry['bbox']
        assert entry['category_id'] in categories and width > 0 < height and entry['area'] > 0
        assert min(x, y) >= -0.01 and x + width <= image['width'] + 0.01 and y + height <= image['height'] + 0.01


def test_openimages_boxes_are_objects_or_groups(world):
    pictures = drawn('openimages')
    content = read(world / 'openimages/openimages_v6_train_bbox_splitdir.json')
    names = {category['id']: category['name'] for category in content['categories']}
    truth = {(f'{seen.obj.fill} {seen.obj.shape}', *seen.bbox) for p in pictures for seen in p.objects}
    single = [entry for entry in content['annotations'] if not entry['iscrowd']]
    found = {(names[entry['category_id']], *map(round, entry['bbox'])) for entry in single}
    assert len(single) > 30 and found <= truth
    grouped = sum(len(p.objects) for p in pictures) - len(single)
    assert grouped >= 2 * sum(entry['iscrowd'] for entry in content['annotations'])
    with open(world / 'openimages/annotations/oidv6-train-annotations-bbox.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(content['annotations'])
    assert all(0 <= float(row['XMin']) < float(row['XMax']) <= 1 for row in rows)


def test_bdd_categories_and_masks(world):
    pictures = drawn('bdd_det')
    content = read(world / 'bdd100k/labels/det_20/det_train_cocofmt.json')
    assert len(content['categories']) == 10 and 'segmentation' not in content['annotations'][0]
    assert [entry['bbox'] for entry in content['annotations']] == [
        list(seen.bbox) for picture in pictures for seen in picture.objects]
    content = read(world / 'bdd100k/labels/ins_seg/polygons/ins_seg_train_cocoformat.json')
    assert len(content['categories']) == 8
    areas = [seen.area for picture in drawn('bdd_inst') for seen in picture.objects
             if seen.obj.shape not in ('arrow', 'hourglass')]
    assert np.allclose([entry['area'] for entry in content['annotations']], areas, rtol=0.06, atol=12)


def test_visual_genome_and_grit_have_a_text_per_box(world):
    for file, key in (('train_from_objects', 'object_name'), ('train', 'caption')):
        content = read(world / f'visual_genome/annotations/{file}.json')
        assert content['categories'] == [{'id': 0, 'name': 'object'}]
        boxes = {(picture.image_id, *seen.bbox): seen.obj for picture in drawn('visual_genome')
                 for seen in picture.objects}
        for entry in content['annotations']:
            text = entry[key].split()
            obj = boxes[(entry['image_id'], *entry['bbox'])]
            assert obj.shape in text and {'caption', 'object_name'} & set(entry) == {key}
            colours = {'red', 'green', 'blue', 'yellow', 'cyan', 'purple', 'pink', 'white'} & set(text)
            assert file == 'train' or colours <= {obj.colour}
    content = read(world / 'GRIT20M/grit_5m.json')
    captions = {image['id']: image['caption'] for image in content['images']}
    pictures = {index: picture for index, picture in enumerate(drawn('grit'), 1)}
    exact = 0
    for entry in content['annotations']:
        assert entry['caption'] in captions[entry['image_id']]
        words = entry['caption'].split()
        boxes = [seen.bbox for seen in pictures[entry['image_id']].objects if seen.obj.shape in words]
        overlaps = mask_utils.iou(np.array([entry['bbox']], float), np.array(boxes, float), [0] * len(boxes))
        assert overlaps.max() > 0.55
        exact += overlaps.max() > 0.99
    assert exact < len(content['annotations']) / 4  # they are coarse


def test_uvo_masks_are_those_of_the_drawn_objects(world):
    content = read(world / 'UVO/annotations/FrameSet/UVO_frame_train_onecate.json')
    seen = [seen for picture in drawn('uvo_frames') for seen in picture.objects]
    assert [int(mask_utils.area(entry['segmentation'])) for entry in content['annotations']] == [s.area for s in seen]
    assert [mask_utils.toBbox(entry['segmentation']).tolist() for entry in content['annotations']] == [
        list(s.bbox) for s in seen]
    assert [category['name'] for category in content['categories']] == ['object']


def test_sa1b_index_agrees_with_the_masks_and_holds_no_parts(world):
    index = read(world / 'SA1B_scaleup/sa1b_2m.json')
    removed = 0
    for image in index['images']:
        rows = [entry for entry in index['annotations'] if entry['image_id'] == image['id']]
        name = image['file_name'].replace('.jpg', '.json')
        thin, raw = (read(world / f'SA1B_scaleup/{folder}/{name}')['annotations'] for folder in ('images', 'original'))
        assert [entry['bbox'] for entry in rows] == [entry['bbox'] for entry in thin]
        assert [entry['area'] for entry in rows] == [entry['area'] for entry in thin]
        masks = {entry['id']: mask_utils.decode(entry['segmentation']).astype(bool) for entry in raw}
        kept = [masks[entry['id']] for entry in thin]
        for position, mask in enumerate(kept):
            assert all(share(mask, other) <= 0.5 for other in kept[:position])
        gone = [masks[entry['id']] for entry in raw if entry['id'] not in {other['id'] for other in thin}]
        assert all(any(share(mask, other) > 0.5 and other.sum() >= mask.sum() for other in kept) for mask in gone)
        removed += len(gone)
    assert removed > 20


def share(a, b):
    """The largest of IoU and the two shares of the common part."""
    common = (a & b).sum()
    return max(common / (a | b).sum(), common / a.sum(), common / b.sum())


def test_the_mixed_referring_set_is_the_three_training_sets(world):
    mixed = read(world / 'annotations/refcoco-mixed/instances_train.json')
    parts = [read(world / f'annotations/{name}/instances_train.json')
             for name in ('refcoco-unc', 'refcocoplus-unc', 'refcocog-umd')]
    assert [image['expressions'] for image in mixed['images']] == [
        image['expressions'] for part in parts for image in part['images']]
    assert [image['id'] for image in mixed['images']] == [entry['image_id'] for entry in mixed['annotations']]

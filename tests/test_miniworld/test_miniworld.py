"""MiniWorld: statistics, drawing, determinism, and every file through its stock reader."""
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
from lvis import LVIS
from mmdet.datasets import CocoDataset, LVISV1Dataset, Objects365V2Dataset
from mmdet.utils import register_all_modules
from paths import ROOT
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO
from tool_runner import run_tool
from worlds import MANY_IMAGES as IMAGES
from worlds import MANY_VAL_IMAGES as VAL_IMAGES
from worlds import SEED

from projects.glee.miniworld import MiniWorldError, build_miniworld
from projects.glee.miniworld.world import MINIWORLD_COCO_CLASSES, MINIWORLD_LVIS_CLASSES, MINIWORLD_OBJECTS365_CLASSES
from projects.glee.miniworld.world.pictures import take_pictures
from projects.glee.miniworld.world.render import render
from projects.glee.miniworld.world.scene import BACKGROUNDS, visible_masks

CLI = ROOT / 'tools/dataset_converters/make_miniworld.py'


@pytest.fixture(scope='module')
def world(picture_world):
    return picture_world


@pytest.fixture(scope='module')
def pictures():
    return list(take_pictures('coco_train', 11, 300))


@pytest.fixture(scope='module')
def objects(pictures):
    return [seen for picture in pictures for seen in picture.objects]


def read(path):
    return json.loads(path.read_text())


def hashes(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob('*')) if path.is_file()
    }


# What the world looks like


def test_scenes_are_as_crowded_covered_and_small_as_wished(pictures, objects):
    assert len(objects) / len(pictures) >= 4.5
    assert 0.25 <= np.mean([seen.visible < 0.95 for seen in objects]) <= 0.35
    assert 1 / 3 <= np.mean([max(seen.bbox[2:]) < 32 for seen in objects]) <= 0.42
    assert min(seen.visible for seen in objects) >= 0.5
    assert min(seen.area for seen in objects) >= 40
    namesakes = [
        sum(other.obj.shape == seen.obj.shape for other in picture.objects)
        for picture in pictures for seen in picture.objects
    ]
    assert np.mean(np.array(namesakes) >= 2) >= 0.7
    sides = np.array([(p.scene.height, p.scene.width) for p in pictures])
    assert sides.min() == 160 and sides.max() == 240
    assert (sides[:, 0] > sides[:, 1]).mean() > 0.2 < (sides[:, 0] < sides[:, 1]).mean()


@pytest.mark.parametrize('kind', BACKGROUNDS)
def test_every_background_has_texture(pictures, kind):
    """The grey levels of an empty scene vary; so little in none that a flat colour would do."""
    scene = next(picture.scene for picture in pictures if picture.scene.background.kind == kind)
    assert render(replace(scene, objects=())).astype(float).mean(-1).std() > 1


def test_every_word_occurs_and_names_have_a_long_tail(objects):
    for field, count in (('shape', 10), ('colour', 8), ('size_name', 3), ('fill', 3)):
        shares = Counter(getattr(seen.obj, field) for seen in objects)
        assert len(shares) == count
        assert min(shares.values()) > 0.5 * len(objects) / count
    assert len({round(seen.obj.angle) for seen in objects}) > 250
    names = sorted(Counter(seen.obj.fine_name for seen in objects).values(), reverse=True)
    assert len(names) > 120
    assert sum(names[:24]) > 5 * sum(names[-120:]) * 24 / 120


def test_size_words_never_touch(objects):
    """Longest side of the box of the whole object, where nothing hides a part of it."""
    sides = {'small': [], 'medium': [], 'large': []}
    for seen in objects:
        if seen.visible == 1:
            sides[seen.obj.size_name].append(max(seen.bbox[2:]))
    assert max(sides['small']) + 3 < min(sides['medium'])
    assert max(sides['medium']) + 6 < min(sides['large'])


def test_masks_are_what_a_drawn_object_changes(pictures):
    """Taking one object out of a picture changes the pixels of its mask and no others."""
    for picture in pictures[:40]:
        scene = picture.scene
        whole = render(scene).astype(int)
        for index, seen in enumerate(picture.objects):
            without = replace(scene, objects=scene.objects[:index] + scene.objects[index + 1:])
            change = np.abs(render(without) - whole).max(-1)
            mask = decode(seen.segmentation, scene)
            # A pixel may by chance have the colour of what is behind it.
            assert (change[mask] > 0).mean() >= 0.97, (picture.index, seen.obj)
            # What fills less than half of a pixel is drawn but not in the mask.
            assert change[~mask].max() <= 130, (picture.index, seen.obj)
            assert (change[~grown(mask, 2)] > 0).sum() <= 12, (picture.index, seen.obj)


def test_nothing_unannotated_is_visible(pictures):
    for picture in pictures[:40]:
        scene = picture.scene
        empty = render(replace(scene, objects=())).astype(int)
        annotated = np.zeros(empty.shape[:2], bool)
        for seen in picture.objects:
            annotated |= decode(seen.segmentation, scene)
        visible = (render(scene) != empty).any(-1)
        assert annotated.any() and not (visible & ~grown(annotated, 5)).any()


def grown(mask, by):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1))) > 0


def test_polygons_fill_to_exactly_the_visible_pixels(pictures):
    for picture in pictures[:60]:
        scene = picture.scene
        masks = visible_masks(scene.objects, scene.height, scene.width)
        for seen, mask in zip(picture.objects, masks):
            np.testing.assert_array_equal(decode(seen.segmentation, scene), mask)
            assert seen.area == mask.sum()


def decode(polygons, scene):
    rles = mask_utils.frPyObjects(polygons, scene.height, scene.width)
    return mask_utils.decode(mask_utils.merge(rles)).astype(bool)


def test_written_pixels_have_the_colour_of_the_name(world):
    """Of the pixels of an object in the JPEG, most of those near a pure colour are near its own."""
    palette = {
        'red': (225, 35, 40), 'green': (45, 165, 55), 'blue': (45, 95, 245),
        'yellow': (245, 215, 35), 'cyan': (45, 215, 230), 'purple': (145, 50, 205),
        'pink': (255, 125, 190), 'white': (248, 248, 248)
    }
    coco = COCO(world / 'coco/annotations/instances_val2017.json')
    lvis = read(world / 'lvis/lvis_v1_val.json')
    names = {c['id']: c['name'] for c in lvis['categories']}
    for ann in lvis['annotations']:
        file_name = coco.imgs[ann['image_id']]['file_name']
        image = cv2.imread(str(world / 'coco/val2017' / file_name))[..., ::-1]
        pixels = image[coco.annToMask(coco.anns[ann['id']]) > 0].astype(int)
        near = {
            name: (np.linalg.norm(pixels - colour, axis=1) < 45).sum()
            for name, colour in palette.items()
        }
        assert max(near, key=near.get) == names[ann['category_id']].split()[1]


# Determinism and splits


def test_same_seed_writes_the_same_bytes(world, tmp_path):
    """In another process with another hash seed, through the command line."""
    out = tmp_path / 'again'
    command = [sys.executable, CLI, '--out', out, '--images', str(IMAGES), '--val-images',
               str(VAL_IMAGES), '--seed', str(SEED), '--preview', tmp_path / 'sheet.png']
    env = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONHASHSEED='123')
    subprocess.run(command, check=True, env=env, capture_output=True, cwd=tmp_path)
    assert len(hashes(world)) == 2 * IMAGES + 2 * VAL_IMAGES + IMAGES + VAL_IMAGES + 24
    assert hashes(out) == hashes(world)
    assert cv2.imread(str(tmp_path / 'sheet.png')).std() > 20


def test_a_longer_world_starts_with_the_shorter_one():
    short = list(take_pictures('coco_train', 7, 2))
    longer = list(take_pictures('coco_train', 7, 4))
    assert longer[:2] == short


def test_splits_and_seeds_share_no_image(world, tmp_path):
    build_miniworld(tmp_path / 'other', 8, seed=SEED + 1)
    groups = [('coco/train2017', world), ('coco/val2017', world), ('Objects365V2/train', world),
              ('Objects365V2/val', world), ('coco/train2017', tmp_path / 'other'),
              ('Objects365V2/val', tmp_path / 'other')]
    digests = [set(hashes(root / folder).values()) for folder, root in groups]
    assert len(set.union(*digests)) == 2 * (IMAGES + VAL_IMAGES) + 8 + 8
    train2014 = set(hashes(world / 'coco/train2014').values())
    assert train2014 == digests[0] | digests[1]


# Formats


def test_coco_is_read_by_mmdet_and_masks_agree_with_boxes(world):
    register_all_modules()
    data = CocoDataset(
        data_root=str(world / 'coco'),
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'),
        metainfo=dict(classes=MINIWORLD_COCO_CLASSES),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True, with_mask=True, poly2mask=False)
        ])
    taken = list(take_pictures('coco_train', SEED, IMAGES))
    assert len(data) == IMAGES
    for sample, picture in zip(data, taken):
        assert sample['img'].shape[:2] == (picture.scene.height, picture.scene.width)
        assert not sample['gt_ignore_flags'].any()
        names = [MINIWORLD_COCO_CLASSES[label] for label in sample['gt_bboxes_labels']]
        assert names == [seen.obj.shape for seen in picture.objects]
        bitmaps = sample['gt_masks'].to_bitmap()
        np.testing.assert_array_equal(bitmaps.get_bboxes('hbox').tensor, sample['gt_bboxes'].tensor)
        assert bitmaps.masks.sum((1, 2)).tolist() == [seen.area for seen in picture.objects]


def test_coco_has_sparse_ids_and_polygons_with_holes(world):
    content = read(world / 'coco/annotations/instances_train2017.json')
    ids = [category['id'] for category in content['categories']]
    assert ids == sorted(set(ids)) and ids != list(range(1, len(ids) + 1))
    assert [category['name'] for category in content['categories']] == list(MINIWORLD_COCO_CLASSES)
    coco = COCO(world / 'coco/annotations/instances_train2017.json')
    rings = coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds(catNms=['ring'])))
    holes = 0
    for ann in rings:
        _, hierarchy = cv2.findContours(coco.annToMask(ann), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        holes += (hierarchy[0, :, 3] >= 0).any()
        assert all(len(polygon) >= 6 for polygon in ann['segmentation'])
    assert holes > len(rings) / 2


def test_objects365_is_read_by_mmdet_and_has_boxes_only(world):
    content = read(world / 'Objects365V2/annotations/zhiyuan_objv2_val_new.json')
    assert len(content['categories']) > 100
    assert not any('segmentation' in ann for ann in content['annotations'])
    data = Objects365V2Dataset(
        data_root=str(world / 'Objects365V2'),
        ann_file='annotations/zhiyuan_objv2_val_new.json',
        data_prefix=dict(img='val/'),
        metainfo=dict(classes=MINIWORLD_OBJECTS365_CLASSES),
        pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True)])
    taken = list(take_pictures('objects365_val', SEED, VAL_IMAGES))
    assert len(data) == VAL_IMAGES
    for sample, picture in zip(data, taken):
        np.testing.assert_array_equal(sample['img'][..., ::-1].shape, render(picture.scene).shape)
        names = [MINIWORLD_OBJECTS365_CLASSES[label] for label in sample['gt_bboxes_labels']]
        expected = [f'{o.obj.size_name} {o.obj.colour} {o.obj.shape}' for o in picture.objects]
        assert names == expected


def test_lvis_is_read_by_lvis_and_mmdet(world):
    api = LVIS(str(world / 'lvis/lvis_v1_train.json'))
    names = tuple(category['name'] for category in api.dataset['categories'])
    assert names == MINIWORLD_LVIS_CLASSES and len(names) > 120
    objects, images = Counter(), Counter()
    for image in api.imgs:
        ids = [ann['category_id'] for ann in api.img_ann_map[image]]
        objects.update(ids)
        images.update(set(ids))
    for category in api.cats.values():
        count = images[category['id']]
        assert category['image_count'] == count
        assert category['instance_count'] == objects[category['id']]
        assert category['frequency'] == ('r' if count < 11 else 'c' if count < 101 else 'f')
    assert read(world / 'lvis/lvis_v1_val.json')['categories'] == api.dataset['categories']
    data = LVISV1Dataset(
        data_root=str(world),
        ann_file='lvis/lvis_v1_val.json',
        data_prefix=dict(img='coco/'),
        metainfo=dict(classes=MINIWORLD_LVIS_CLASSES),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True, with_mask=True)
        ])
    assert len(data) == VAL_IMAGES
    annotations = read(world / 'lvis/lvis_v1_val.json')['annotations']
    assert sum(len(sample['gt_masks']) for sample in data) == len(annotations)


def test_lvis_is_honest_about_what_it_left_out(world):
    """Against everything that is in the pictures, which the COCO file of the same images holds."""
    incomplete = unknown = near = 0
    for split, count in (('train', IMAGES), ('val', VAL_IMAGES)):
        api = LVIS(str(world / f'lvis/lvis_v1_{split}.json'))
        names = {c['id']: c['name'] for c in api.cats.values()}
        for picture, image in zip(take_pictures(f'coco_{split}', SEED, count), api.imgs.values()):
            present = Counter(
                f'{seen.obj.fill} {seen.obj.colour} {seen.obj.shape}' for seen in picture.objects)
            annotated = Counter(names[a['category_id']] for a in api.img_ann_map[image['id']])
            negative = {names[i] for i in image['neg_category_ids']}
            partial = {names[i] for i in image['not_exhaustive_category_ids']}
            assert annotated and not annotated - present
            assert len(negative) == 12 and not negative & set(present)
            assert all(0 < annotated[name] < present[name] for name in partial)
            assert all(annotated[name] == present[name] for name in set(annotated) - partial)
            incomplete += len(partial)
            unknown += len(set(present) - set(annotated))
            near += any(name.split()[1:] == own.split()[1:] for name in negative for own in present)
    assert near > 20 and unknown > 0 and incomplete > 0


# Bad input


@pytest.mark.parametrize('arguments, named', [
    (dict(images=-1), 'images'),
    (dict(images=0), 'images'),
    (dict(images=600000), 'images'),
    (dict(images=4, sources=('ytvis19', )), 'videos=0.*ytvis19'),
    (dict(images=4, videos=2, val_videos=0), 'val_videos'),
    (dict(images=4, sources=('coco', 'nonsense')), 'nonsense'),
    (dict(images=4, sources=('refcoco_mixed', )), 'coco'),
    (dict(images=4, videos=-2), 'videos'),
    (dict(images=4, seed=-1), 'seed'),
    (dict(images=4, val_images=0), 'val_images'),
])
def test_numbers_that_make_no_world_are_refused(tmp_path, arguments, named):
    with pytest.raises(MiniWorldError, match=named):
        build_miniworld(tmp_path / 'w', **arguments)
    assert not (tmp_path / 'w').exists()


def test_an_occupied_folder_is_kept_unless_told_otherwise(tmp_path):
    out = tmp_path / 'w'
    out.mkdir()
    (out / 'notes.txt').write_text('mine')
    with pytest.raises(MiniWorldError, match='--overwrite'):
        build_miniworld(out, 2)
    assert build_miniworld(out, 2, overwrite=True)
    before = hashes(out)
    assert not build_miniworld(out, 2)  # the same world is there already
    with pytest.raises(MiniWorldError, match='another MiniWorld'):
        build_miniworld(out, 3)
    assert hashes(out) == before and before['notes.txt']
    with pytest.raises(MiniWorldError, match='is a file'):
        build_miniworld(out / 'notes.txt', 2)


def test_an_unfinished_world_is_written_again(tmp_path):
    out = tmp_path / 'w'

    def pull_the_plug(iterable, description, total):
        if description == 'objects365 train':
            raise KeyboardInterrupt
        return iterable

    with pytest.raises(KeyboardInterrupt):
        build_miniworld(out, 2, progress=pull_the_plug)
    assert not (out / 'Objects365V2').exists()
    assert build_miniworld(out, 2)
    assert build_miniworld(tmp_path / 'fresh', 2)
    assert hashes(out) == hashes(tmp_path / 'fresh')


def test_a_damaged_marker_is_named(tmp_path):
    (tmp_path / 'miniworld.json').write_text('{"seed":')
    with pytest.raises(MiniWorldError, match='miniworld.json'):
        build_miniworld(tmp_path, 2)


def test_the_command_line_names_what_is_wrong(tmp_path):
    with pytest.raises(SystemExit, match='^make_miniworld: videos=0'):
        run_tool('dataset_converters/make_miniworld.py', '--out', tmp_path / 'w', '--images', 4, '--sources', 'ytvis19')

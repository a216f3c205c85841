"""MiniWorld's miniatures of ODinW and OmniLabel, against the scenes that they show."""
import json
from collections import Counter

import cv2
import numpy as np
import pytest
from worlds import SEED, VAL_IMAGES

from projects.glee.datasets.image import OmniLabelDataset
from projects.glee.miniworld.formats.odinw import WILD_SETS, wild_stream
from projects.glee.miniworld.world.pictures import take_pictures
from projects.glee.miniworld.world.vocabulary import COLOURS, FILLS, SHAPES, SIZES

PARTS = {'train': 2, 'valid': 1, 'test': 1}  # pictures of each of five sets


def read(path):
    return json.loads(path.read_text())


def test_the_sets_in_the_wild_lie_as_odinw_does(world):
    for name in WILD_SETS:
        seen = []
        for part, count in PARTS.items():
            folder = world / 'odinw/dataset' / name / part
            file = read(folder / 'annotations_without_background.json')
            assert len(file['images']) == count
            for row in file['images']:
                assert cv2.imread(str(folder / row['file_name'])).shape[:2] == (row['height'], row['width'])
                seen.append(row['file_name'])
            assert [category['id'] for category in file['categories']] == [*range(1, len(file['categories']) + 1)]
        assert len(set(seen)) == sum(PARTS.values())


@pytest.mark.parametrize('name, word, names', [
    ('Insects', 'fill', {'striped': 'bee', 'dotted': 'ladybird', 'solid': 'beetle'}),
    ('Mushrooms', 'shape', {'crescent': 'chanterelle', 'heart': 'fly agaric', 'hourglass': 'morel',
                            'triangle': 'ink cap'}),
    ('Aerial', 'shape', {shape: shape for shape in SHAPES})])
def test_the_boxes_are_those_of_the_scene_under_other_names(world, name, word, names):
    file = read(world / 'odinw/dataset' / name / 'train/annotations_without_background.json')
    called = {row['id']: row['name'] for row in file['categories']}
    found = Counter((called[row['category_id']], tuple(row['bbox'])) for row in file['annotations'])
    scale = 2 if name == 'Aerial' else 1  # its scenes are drawn at twice the size
    expected = Counter()
    for picture in take_pictures(f'{wild_stream(name)}_train', SEED, PARTS['train'], sampler=WILD_SETS[name].sampler):
        for seen in picture.objects:
            other = names.get(getattr(seen.obj, word))
            if other:
                expected[other, tuple(side / scale for side in seen.bbox)] += 1
    assert found == expected and found


def test_looks(world):
    def pictures(name):
        return [cv2.imread(str(path)).astype(float) for path in (world / f'odinw/dataset/{name}').rglob('*.jpg')]

    for picture in pictures('Thermal'):
        assert abs(picture[..., 0] - picture[..., 2]).mean() < 2  # grey, but for what JPEG loses
    assert max(picture.mean() for picture in pictures('Night')) < 0.4 * min(map(np.mean, pictures('Insects')))


def fits(words, obj):
    """Whether each word of a noun is true of an object: the slow way."""
    return all(word in (obj.shape, obj.fill, obj.colour, obj.size_name) for word in words)


def test_descriptions_mean_what_they_say(world):
    file = read(world / 'omnilabel/dataset_all_val_v0.1.3.json')
    pictures = {row['id']: picture for row, picture in zip(
        file['images'], take_pictures('omnilabel_val', SEED, VAL_IMAGES), strict=True)}
    known = {*SHAPES, *FILLS, *COLOURS, *SIZES}
    sizes = Counter()
    for row in file['descriptions']:
        words = row['text'].split()
        is_name = row['anno_info']['type'] == 'object_category'
        for image_id in row['image_ids']:
            annotations = [ann for ann in file['annotations'] if ann['image_id'] == image_id]
            meant = {index for index, ann in enumerate(annotations) if row['id'] in ann['description_ids']}
            if is_name or known.issuperset(words):  # names, and adjectives with their noun
                assert meant == {index for index, seen in enumerate(pictures[image_id].objects)
                                 if fits(words, seen.obj)}
                sizes['name' if is_name else 'noun', min(len(meant), 2)] += 1
            else:
                assert len(meant) == 1
                sizes['sentence', 1] += 1
    # asked for and absent, of one object, of a group
    assert {('name', 0), ('name', 1), ('name', 2), ('noun', 0), ('noun', 2), ('sentence', 1)} <= sizes.keys()


def test_our_reader_takes_the_descriptions(world):
    root = world / 'omnilabel'
    dataset = OmniLabelDataset(ann_file='dataset_all_val_v0.1.3.json', data_root=str(root),
                               data_prefix=dict(img='images/'), pipeline=[], test_mode=True)
    asked = sum(len(row['image_ids']) for row in read(root / 'dataset_all_val_v0.1.3.json')['descriptions'])
    assert len({dataset.get_data_info(i)['img_path'] for i in range(len(dataset))}) == VAL_IMAGES
    assert asked >= 4 * VAL_IMAGES

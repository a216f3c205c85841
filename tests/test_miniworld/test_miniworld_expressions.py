"""Every sentence of MiniWorld is parsed again and evaluated on the boxes in the files."""
import json
import math
import pickle
import re
from collections import Counter

import numpy as np
import pytest
from mmdet.datasets import RefCocoDataset
from mmdet.utils import register_all_modules
from worlds import MANY_IMAGES as IMAGES
from worlds import MANY_VAL_IMAGES as VAL_IMAGES
from worlds import SEED

from projects.glee.miniworld.world.pictures import take_pictures

PICKLES = {
    'refcoco': 'refs(unc).p',
    'refcoco+': 'refs(unc).p',
    'refcocog': 'refs(umd).p',
}
FOLDERS = {
    'refcoco': 'refcoco-unc',
    'refcoco+': 'refcocoplus-unc',
    'refcocog': 'refcocog-umd',
}
SPLITS = {
    'refcoco': {'train', 'val', 'testA', 'testB'},
    'refcoco+': {'train', 'val', 'testA', 'testB'},
    'refcocog': {'train', 'val', 'test'},
}
SENTENCES = {
    'ordinal': r'the (?P<word>first|second|third|fourth) (?P<noun>.+) from the (?P<side>\w+)',
    'size': r'the (?P<word>biggest|smallest) (?P<noun>.+)',
    'same color': r'the (?P<noun>.+) with the same color as the (?P<landmark>.+)',
    'side': r'the (?P<noun>.+?)(?: that is| which is)?(?: to the)? '
            r'(?P<word>left of|right of|above|below) the (?P<landmark>.+)',
    'closest': r'the (?P<noun>.+?)(?: that is| which is)? (?:closest|nearest) to the '
               r'(?P<landmark>.+)',
    'clause': r'the (?P<noun>\w+) (?:that|which) is (?P<word>\w+(?: and \w+)*)',
    'attribute': r'(?:the )?(?P<noun>.+)',
}
FORWARD = {'left': ('x', 1), 'right': ('x', -1), 'top': ('y', 1), 'bottom': ('y', -1)}
TOWARDS = {'left of': ('x', -1), 'right of': ('x', 1), 'above': ('y', -1), 'below': ('y', 1)}


@pytest.fixture(scope='module')
def root(picture_world):
    return picture_world


@pytest.fixture(scope='module')
def images(root):
    """image id -> ann id -> words, x, y, size: boxes from the file, words from the scenes."""
    boxes = json.loads((root / 'coco/refcoco/instances.json').read_text())['annotations']
    found = {}
    entries = iter(boxes)
    for stream, count in (('coco_train', IMAGES), ('coco_val', VAL_IMAGES)):
        for picture in take_pictures(stream, SEED, count):
            for seen in picture.objects:
                ann, obj = next(entries), seen.obj
                x, y, width, height = ann['bbox']
                found.setdefault(ann['image_id'], {})[ann['id']] = dict(
                    words={obj.shape, obj.colour, obj.fill, obj.size_name}, shape=obj.shape,
                    colour=obj.colour, size=obj.size, x=x + width / 2, y=y + height / 2)
    assert next(entries, None) is None
    return found


@pytest.fixture(scope='module')
def refs(root):
    return {
        name: pickle.loads((root / 'coco' / name / file).read_bytes())
        for name, file in PICKLES.items()
    }


def parse(sentence):
    for relation, pattern in SENTENCES.items():
        match = re.fullmatch(pattern, sentence)
        if match:
            return relation, match.groupdict()
    raise AssertionError(f'no grammar for {sentence!r}')


def fitting(objects, noun):
    found = [key for key, obj in objects.items() if set(noun.split()) <= obj['words']]
    assert found, noun
    return found


def evaluate(objects, relation, part):
    """(ids that the sentence is true for, margin by which it is, ids that the noun fits)."""
    if relation == 'clause':
        both = ' '.join([part['noun']] + part['word'].split(' and '))
        return fitting(objects, both), math.inf, fitting(objects, part['noun'])
    fit = fitting(objects, part['noun'])
    if relation == 'attribute':
        return fit, math.inf, fit
    if relation == 'ordinal':
        axis, sign = FORWARD[part['side']]
        places = {key: sign * objects[key][axis] for key in fit}
        order = sorted(fit, key=places.get)
        place = ('first', 'second', 'third', 'fourth').index(part['word'])
        return order[place:place + 1], np.diff(sorted(places.values())).min(), fit
    if relation == 'size':
        sizes = sorted(objects[key]['size'] for key in fit)
        extreme = sizes[-1] if part['word'] == 'biggest' else sizes[0]
        gap = sizes[-1] - sizes[-2] if part['word'] == 'biggest' else sizes[1] - sizes[0]
        return [key for key in fit if objects[key]['size'] == extreme], 3 * gap, fit
    landmarks = fitting(objects, part['landmark'])
    assert len(landmarks) == 1, f'{len(landmarks)} objects fit {part["landmark"]!r}'
    mark = objects[landmarks[0]]
    if relation == 'same color':
        return [key for key in fit if objects[key]['colour'] == mark['colour']], math.inf, fit
    if relation == 'side':
        axis, sign = TOWARDS[part['word']]
        along = {key: sign * (objects[key][axis] - mark[axis]) for key in fit}
        return [key for key in fit if along[key] > 0], min(map(abs, along.values())), fit
    distance = {key: math.dist((objects[key]['x'], objects[key]['y']), (mark['x'], mark['y']))
                for key in fit}
    order = sorted(fit, key=distance.get)
    margin = distance[order[1]] - distance[order[0]] if len(order) > 1 else math.inf
    return order[:1], margin, fit


@pytest.mark.parametrize('dataset', PICKLES)
def test_every_sentence_is_true_of_one_object_among_namesakes(images, refs, dataset):
    seen = Counter()
    for ref in refs[dataset]:
        objects = images[ref['image_id']]
        shape = objects[ref['ann_id']]['shape']
        assert sum(obj['shape'] == shape for obj in objects.values()) >= 2
        for sentence in ref['sentences']:
            relation, part = parse(sentence['raw'])
            true, margin, fit = evaluate(objects, relation, part)
            assert true == [ref['ann_id']], sentence['raw']
            assert shape in part['noun'].split()
            assert margin >= 9.9, sentence['raw']
            seen[relation] += 1
            relational = relation not in ('attribute', 'clause')
            if relational and dataset != 'refcocog':
                assert len(fit) > 1, f'attributes alone decide {sentence["raw"]!r}'
            if ref['split'] in ('testA', 'testB'):
                assert relational == (ref['split'] == 'testB')
    expected = {
        'refcoco': {'attribute', 'side', 'ordinal', 'closest'},
        'refcoco+': {'attribute', 'size', 'same color', 'closest'},
        'refcocog': {'clause', 'side', 'closest'},
    }
    assert set(seen) == expected[dataset]
    assert min(seen.values()) >= 5


@pytest.mark.parametrize('dataset', PICKLES)
def test_refs_are_whole(root, refs, dataset):
    instances = json.loads((root / 'coco' / dataset / 'instances.json').read_text())
    anns = {ann['id']: ann for ann in instances['annotations']}
    names = {image['id']: image['file_name'] for image in instances['images']}
    assert {ref['split'] for ref in refs[dataset]} == SPLITS[dataset]
    assert len({ref['ref_id'] for ref in refs[dataset]}) == len(refs[dataset])
    sent_ids = [i for ref in refs[dataset] for i in ref['sent_ids']]
    assert len(set(sent_ids)) == len(sent_ids)
    for ref in refs[dataset]:
        ann = anns[ref['ann_id']]
        assert (ann['image_id'], ann['category_id']) == (ref['image_id'], ref['category_id'])
        assert 2 <= len({s['raw'] for s in ref['sentences']}) == len(ref['sentences']) <= 3
        assert [s['sent_id'] for s in ref['sentences']] == ref['sent_ids']
        assert all(s['tokens'] == s['sent'].split() for s in ref['sentences'])
        assert ref['file_name'] == f'{names[ref["image_id"]][:-4]}_{ref["ann_id"]}.jpg'
        assert (root / 'coco/train2014' / names[ref['image_id']]).is_file()


def test_train_and_test_refs_share_no_image_and_objects_are_referred_to_once(refs):
    for dataset in PICKLES:
        split_images, objects = {}, Counter()
        for ref in refs[dataset]:
            split_images.setdefault(ref['split'] == 'train', set()).add(ref['image_id'])
            objects[ref['split'], ref['ann_id']] += 1
        assert not split_images[True] & split_images[False]
        assert set(objects.values()) == {1}


def test_refcoco_plus_has_no_word_of_location(refs):
    located = re.compile(r'\b(left|right|top|bottom|above|below|first|second|third|fourth)\b')
    sentences = [s['raw'] for ref in refs['refcoco+'] for s in ref['sentences']]
    assert not [sentence for sentence in sentences if located.search(sentence)]
    located_too = [s['raw'] for ref in refs['refcoco'] for s in ref['sentences']]
    assert any(located.search(sentence) for sentence in located_too)


def test_refcocog_is_wordier(refs):
    length = {
        name: np.mean([len(s['tokens']) for ref in refs[name] for s in ref['sentences']])
        for name in PICKLES
    }
    assert length['refcocog'] > 1.3 * length['refcoco']


@pytest.mark.parametrize('dataset', PICKLES)
def test_glee_json_says_the_same_as_the_pickle(root, refs, dataset):
    anns = {
        ann['id']: ann
        for ann in json.loads((root / f'coco/{dataset}/instances.json').read_text())['annotations']
    }
    for split in SPLITS[dataset]:
        content = json.loads(
            (root / f'annotations/{FOLDERS[dataset]}/instances_{split}.json').read_text())
        expected = [ref for ref in refs[dataset] if ref['split'] == split]
        assert [category['id'] for category in content['categories']] == [1]
        assert len(content['images']) == len(content['annotations']) == len(expected) > 0
        for image, ann, ref in zip(content['images'], content['annotations'], expected):
            assert image['expressions'] == [s['raw'] for s in ref['sentences']]
            assert image['original_id'] == ref['image_id'] and image['id'] == ann['image_id']
            assert (root / 'coco/train2014' / image['file_name']).is_file()
            assert ann['category_id'] == 1 and ann['original_id'] == ref['ann_id']
            whole = anns[ref['ann_id']]
            assert [ann[key] for key in ('bbox', 'area', 'segmentation')] == [
                whole[key] for key in ('bbox', 'area', 'segmentation')]


@pytest.mark.parametrize('dataset, split', [('refcoco', 'testA'), ('refcoco+', 'testB'),
                                            ('refcocog', 'test'), ('refcoco', 'train')])
def test_pickles_are_read_by_mmdet(root, refs, dataset, split):
    register_all_modules()
    data = RefCocoDataset(
        data_root=str(root / 'coco'),
        data_prefix=dict(img_path='train2014/'),
        ann_file=f'{dataset}/instances.json',
        split_file=f'{dataset}/{PICKLES[dataset]}',
        split=split,
        text_mode='original',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=False, with_label=False, with_mask=True)
        ])
    expected = Counter(s['raw'] for ref in refs[dataset] if ref['split'] == split
                       for s in ref['sentences'])
    read = Counter()
    for sample in data:
        assert len(sample['text']) == len(sample['gt_masks']) > 0
        assert sample['gt_masks'].masks.any((1, 2)).all()
        read.update(sample['text'])
    assert read == expected

"""Perfect detections of what was read score 1, whatever the file's ids are like; what nobody can know is refused."""
import codecs
import json

import numpy as np
import pytest
import torch
from id_files import LONG, SIZE, of_all, polygon, tracks, without, write
from logs import captured_log
from mmdet.registry import DATASETS
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from PIL import Image

from projects.glee.datasets.conversion import convert_uvo, convert_videos
from projects.glee.datasets.image import PhraseDataset, RefCocoJsonDataset, TextCocoDataset, TextLVISDataset
from projects.glee.datasets.video import VideoFramesDataset, YTVISJsonDataset
from projects.glee.evaluation.metrics import (
    CocoEvalMetric,
    LVISEvalMetric,
)
from projects.glee.structures.masks import decode, to_rle

BOXES = {'a': [(1, [2, 3, 20, 15]), (2, [10, 5, 12, 20])], 'b': [(2, [5, 5, 30, 20])], 'c': [(1, [1, 1, 9, 9])]}


# ---- pictures ----
def pictures():
    """Three pictures with four objects of two categories, in LVIS's form, which COCO's readers read, too."""
    rows = [(name, *row) for name, rows in BOXES.items() for row in rows]
    return dict(
        images=[dict(id=number, file_name=f'{name}.png', width=SIZE[1], height=SIZE[0], neg_category_ids=[1, 2],
                     not_exhaustive_category_ids=[]) for number, name in enumerate(BOXES, 1)],
        annotations=[dict(id=number, image_id='abc'.index(name) + 1, category_id=category, bbox=box, iscrowd=0,
                          area=box[2] * box[3], segmentation=polygon(*box))
                     for number, (name, category, box) in enumerate(rows, 1)],
        categories=[dict(id=1, name='star', frequency='f'), dict(id=2, name='ring', frequency='c')])


def rename(content, key, names):
    """Give the images or categories other ids, and what refers to them."""
    for row in content[key]:
        row['id'] = names[row['id']]
    reference = {'images': 'image_id', 'categories': 'category_id'}[key]
    for row in content['annotations']:
        row[reference] = names[row[reference]]
    if key == 'categories':
        for row in content['images']:
            row['neg_category_ids'] = list(names.values())


def counted_in_each_picture(content):
    for image in content['images']:
        for number, row in enumerate((r for r in content['annotations'] if r['image_id'] == image['id']), 1):
            row['id'] = number


CHANGES = {
    'as it should be': lambda c: None,
    'counted in each picture': counted_in_each_picture,
    'annotation ids from 0': lambda c: [row.update(id=row['id'] - 1) for row in c['annotations']],
    'annotation ids 0': of_all(id=0),
    'annotation ids beyond 64 bits': lambda c: [row.update(id=LONG + row['id']) for row in c['annotations']],
    'annotation ids of text': lambda c: [row.update(id=f'x{row["id"]}') for row in c['annotations']],
    'annotation ids null': of_all(id=None),
    'annotation ids lists': of_all(id=[1]),
    'no annotation ids': without('annotations', 'id'),
    'image ids beyond 64 bits': lambda c: rename(c, 'images', {1: LONG + 2, 2: LONG + 1, 3: 7}),
    'image ids of text': lambda c: rename(c, 'images', {1: 'b', 2: 'a', 3: 'ü'}),
    'image ids of both kinds': lambda c: rename(c, 'images', {1: 'b', 2: 5, 3: 1.5}),
    'image ids from 0, not in order': lambda c: rename(c, 'images', {1: 2, 2: 0, 3: 1}),
    'references of text': lambda c: [row.update(image_id=str(row['image_id']), category_id=str(row['category_id']))
                                     for row in c['annotations']],
    'category ids beyond 64 bits': lambda c: rename(c, 'categories', {1: LONG + 1, 2: LONG}),
    'category ids of text': lambda c: rename(c, 'categories', {1: 'z', 2: 'a'}),
    'category ids of both kinds': lambda c: rename(c, 'categories', {1: 'z', 2: 0}),
    'category names that are numbers': lambda c: [row.update(name=row['id'] * 10) for row in c['categories']],
    'no area, no iscrowd': without('annotations', 'area', 'iscrowd'),
    'area and iscrowd null': of_all(area=None, iscrowd=None),
    'no width and height': without('images', 'width', 'height'),
    'an image is there twice': lambda c: c['images'].append(dict(c['images'][0])),
    'some images without lists of categories': lambda c: [c['images'][0].pop('not_exhaustive_category_ids'),
                                                          c['images'][1].update(neg_category_ids=None)],
    'lists of categories of text': lambda c: [row.update(neg_category_ids=['1', '2']) for row in c['images']],
}


def score(metric, items, names):
    """The numbers of a metric for detections that are what a reader read."""
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(classes=names)
    for item in items:
        found = item['instances']
        shapes = [decode(to_rle(o['mask'], *SIZE)) for o in found]
        evaluator.process([DetDataSample(
            metainfo=dict(img_id=item['img_id'], ori_shape=SIZE), pred_instances=InstanceData(
                bboxes=torch.tensor([o['bbox'] for o in found], dtype=torch.float).reshape(-1, 4),
                labels=torch.tensor([o['bbox_label'] for o in found], dtype=torch.long),
                scores=0.9 - torch.arange(len(found)) / 10,
                masks=torch.from_numpy(np.array(shapes, bool).reshape(-1, *SIZE))))])
    return evaluator.evaluate(len(items))


def read(path, kind=TextCocoDataset, **options):
    for name in BOXES:
        Image.new('RGB', SIZE[::-1]).save(path.parent / f'{name}.png')
    data = kind(data_root=str(path.parent), ann_file=path.name, data_prefix=dict(img=''), pipeline=[], **options)
    return data, [data.get_data_info(number) for number in range(len(data))]


@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('mark', [b'', codecs.BOM_UTF8], ids=['', 'with a byte-order mark'])
def test_perfect_detections_score_one(tmp_path, change, mark):
    content = pictures()
    CHANGES[change](content)
    path = write(tmp_path / 'a.json', content, mark)
    for kind, metric in ((TextCocoDataset, CocoEvalMetric), (TextLVISDataset, LVISEvalMetric)):
        data, items = read(path, kind, test_mode=True)
        assert [len(item['instances']) for item in items] == [2, 1, 1]
        numbers = score(metric(ann_file=str(path), metric=['bbox', 'segm']), items, data.metainfo['classes'])
        assert set(numbers.values()) == {1.0}
        assert {name.split('/')[1].split('_')[0] for name in numbers} == {'bbox', 'segm'}
        training = read(path, kind)[1]  # training loses nothing either
        assert [len(item['instances']) for item in training] == [2, 1, 1]


def test_ids_that_mean_nothing_are_told(tmp_path):
    content = pictures()
    counted_in_each_picture(content)
    del content['annotations'][0]['id']
    path = write(tmp_path / 'a.json', content)
    for open_it in (lambda: read(path), lambda: CocoEvalMetric(str(path)), lambda: convert_uvo(path, tmp_path / 'o')):
        with captured_log() as messages:
            open_it()
        said = [m for m in messages if 'a.json: ' in m]
        assert said == [] or ('a.json: annotation whose id was there before: numbered anew: 1 (first: row 3 of '
                              '`annotations`') in said[0] and 'annotation without an id: numbered: 1' in said[0]


def test_labels_are_the_categories_of_their_names(tmp_path):
    """A metric whose file has the categories in another order, and files of results; two of one name are refused."""
    path = write(tmp_path / 'a.json', pictures())
    data, items = read(path, test_mode=True)
    content = pictures()
    rename(content, 'categories', {1: 'one', 2: 2**65})
    content['categories'].reverse()
    content['categories'].insert(1, dict(id=3, name='star', frequency='f'))
    content['categories'].append(dict(id=4, name='other', frequency='r'))
    other = write(tmp_path / 'b.json', content)
    for metric in (CocoEvalMetric, LVISEvalMetric):
        with pytest.raises(ValueError, match="b.json has 2 categories of the name 'star', the data set 1"):
            score(metric(ann_file=str(other)), items, data.metainfo['classes'])
    del content['categories'][1]
    write(other, content)
    for metric in (CocoEvalMetric, LVISEvalMetric):
        numbers = score(metric(ann_file=str(other), outfile_prefix=str(tmp_path / 'out')), items,
                        data.metainfo['classes'])
        assert set(numbers.values()) == {1.0}
        rows = json.loads((tmp_path / 'out.bbox.json').read_text())
        assert [(row['image_id'], row['category_id']) for row in rows] == [
            (1, 'one'), (1, 2**65), (2, 2**65), (3, 'one')]


def test_detections_of_a_name_that_the_file_lacks_are_refused(tmp_path):
    """Names behind all others may be of stuff, of which there are no instances."""
    path = write(tmp_path / 'a.json', pictures())
    items = read(path, test_mode=True)[1]
    assert score(CocoEvalMetric(str(path)), items, ('star', 'ring', 'sky'))['coco/bbox_mAP'] == 1
    items[1]['instances'][0]['bbox_label'] = 2
    with pytest.raises(ValueError, match="a.json lacks the categories .'sky'. of the data set"):
        score(CocoEvalMetric(str(path)), items, ('star', 'ring', 'sky'))


def test_the_order_in_which_pictures_are_tested_does_not_matter(tmp_path):
    path = write(tmp_path / 'a.json', pictures())
    data, items = read(path, test_mode=True)
    numbers = score(CocoEvalMetric(str(path), metric='proposal'), items[::-1], data.metainfo['classes'])
    assert numbers == score(CocoEvalMetric(str(path), metric='proposal'), items, data.metainfo['classes'])
    assert numbers['coco/AR@100'] == 0.75  # mmdet's name of the first; one of four objects is second in its picture


def stock(path):
    return DATASETS.build(dict(
        type='CocoDataset', metainfo=dict(classes=('star', 'ring')), data_root=str(path.parent), ann_file=path.name,
        data_prefix=dict(img=''), pipeline=[], test_mode=True))


@pytest.mark.parametrize('change', [
    'annotation ids from 0', 'annotation ids beyond 64 bits', 'annotation ids of text', 'image ids beyond 64 bits',
    'category ids of text'])
def test_stock_data_sets_beside_our_metric(tmp_path, change):
    content = pictures()
    CHANGES[change](content)
    path = write(tmp_path / 'a.json', content)
    data = stock(path)
    items = [data.get_data_info(number) for number in range(len(data))]
    numbers = score(CocoEvalMetric(str(path), metric=['bbox', 'segm']), items, data.metainfo['classes'])
    assert len(items) == 3 and set(numbers.values()) == {1.0}


def test_stock_data_sets_refuse_what_would_be_lost(tmp_path):
    """mmdet's reader keeps one object of each id, and says so."""
    content = pictures()
    counted_in_each_picture(content)
    with pytest.raises(AssertionError, match="a.json' are not unique"):
        stock(write(tmp_path / 'a.json', content))


# ---- what nobody can know ----
def twice(key):
    return lambda c: c[key].append(dict(c[key][0], name='another', file_name='another.png'))


REFUSED = {
    'one id of two images': (twice('images'), 'row 0 of `images`, id 1 and row 3 of `images`, id 1 are different'),
    'one id of two categories': (twice('categories'), 'row 2 of `categories`: the id 1 is there twice'),
    'category without an id': (without('categories', 'id'), 'row 0 of `categories` has no id'),
    'category of a truth value': (lambda c: c['categories'][1].update(id=True), 'row 1 of `categories` has no id'),
    'category without a name': (without('categories', 'name'), 'row 0 of `categories` .id 1. has no name'),
    'images that are no list': (lambda c: c.update(images={'1': 'a.png'}), '`images` is no list'),
    'annotations that are no list': (lambda c: c.update(annotations=7), '`annotations` is no list'),
}


@pytest.mark.parametrize('name', REFUSED)
def test_what_has_two_meanings_is_refused_with_file_row_and_key(tmp_path, name):
    change, message = REFUSED[name]
    content = pictures()
    change(content)
    path = write(tmp_path / 'a.json', content)
    for open_it in (lambda: read(path), lambda: read(path, test_mode=True), lambda: CocoEvalMetric(str(path)),
                    lambda: LVISEvalMetric(str(path))):
        with pytest.raises(ValueError, match=f'a.json.*{message}'):
            open_it()


def test_lists_of_categories_that_are_none_are_refused(tmp_path):
    content = pictures()
    content['images'][1]['not_exhaustive_category_ids'] = 7
    with pytest.raises(ValueError, match='a.json: row 1 of `images`, id 2 has a not_exhaustive_category_ids that'):
        LVISEvalMetric(str(write(tmp_path / 'a.json', content)))
    content = pictures()
    content['categories'][1]['frequency'] = 'x'
    with pytest.raises(ValueError, match='a.json: frequency is missing for id 2 of `categories`'):
        LVISEvalMetric(str(write(tmp_path / 'a.json', content)))


@pytest.mark.parametrize('mark', [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE], ids=str)
def test_other_encodings_are_refused(tmp_path, mark):
    path = write(tmp_path / 'a.json', pictures(), mark)
    for open_it in (lambda: read(path), lambda: CocoEvalMetric(str(path)), lambda: convert_uvo(path, tmp_path / 'o')):
        with pytest.raises(ValueError, match='a.json is written in UTF-16 or UTF-32: save it as UTF-8'):
            open_it()


def test_pictures_that_the_file_lacks_are_named(tmp_path):
    path = write(tmp_path / 'a.json', pictures())
    data, items = read(path, test_mode=True)
    for metric in (CocoEvalMetric, LVISEvalMetric):
        with pytest.raises(ValueError, match='a.json has no image with the id 99 of a tested picture'):
            score(metric(ann_file=str(path)), [dict(items[0], img_id=99)], data.metainfo['classes'])


# ---- corners in place of sizes ----
def test_boxes_that_are_corners_are_told(tmp_path):
    def corners(rows):
        for row in rows:
            x, y, w, h = row['bbox']
            row['bbox'] = [x, y, x + w, y + h]

    content = pictures()
    for row in content['annotations'][:3]:
        row.update(caption='x', bbox=[20, 15, 15, 12])
    for image in content['images']:
        image['expressions'] = ['x']
    sound = write(tmp_path / 'sound.json', content)
    corners(content['annotations'])
    path = write(tmp_path / 'a.json', content)
    message = ('box that leaves the picture as (x, y, width, height) and fits as corners (x1, y1, x2, y2): most are '
               'like that, write sizes in place of corners: 3 (first: row 0 of `annotations`, id 1)')
    readers = [lambda p: read(p), lambda p: read(p, test_mode=True), lambda p: CocoEvalMetric(str(p)),
               lambda p: read(p, PhraseDataset), lambda p: LVISEvalMetric(str(p))]
    for open_it in readers:
        with captured_log() as messages:
            open_it(path)
        assert sum(message in m and 'a.json' in m for m in messages) == 1
        with captured_log() as messages:
            open_it(sound)
        assert not any('fits as corners' in m for m in messages)
    content['annotations'] = content['annotations'][1:]
    with captured_log() as messages:
        read(write(path, content), RefCocoJsonDataset)
    assert any('fits as corners' in m for m in messages)
    videos = tracks()
    for row in videos['annotations']:
        row['bboxes'] = [box and [18, 10, 18 + 22, 10 + 20] for box in row['bboxes']]
    path = write(tmp_path / 'videos.json', videos)
    for kind in (YTVISJsonDataset, VideoFramesDataset):
        with captured_log() as messages:
            kind(data_root=f'{tmp_path}/', ann_file='videos.json', data_prefix=dict(img=''), pipeline=[],
                 test_mode=True)
        assert any('videos.json' in m and 'fits as corners' in m for m in messages)
    assert any('fits as corners' in reason for reason in convert_videos(path, tmp_path / 'o.json').notes)

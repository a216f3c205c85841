"""Readers: which names, boxes, masks and sentences come out of which file."""
import json

import numpy as np
import pytest
import torch
from image_files import edit_json, write_coco, write_refer
from logs import captured_log
from mmdet.datasets import CocoDataset, LVISV1Dataset, Objects365V2Dataset, RefCocoDataset
from mmdet.registry import DATASETS
from mmengine.config import Config
from paths import CONFIGS
from pipelines import category_pipeline, expression_pipeline, expression_test_pipeline

import projects.glee  # noqa: F401
from projects.glee.datasets.image import (
    RefCocoJsonDataset,
    ReferDataset,
    TextCocoDataset,
    TextLVISDataset,
    TextObjects365Dataset,
)

BOXES = [[(0, (2, 3, 10, 12)), (2, (30, 5, 20, 20))], [(1, (5, 5, 8, 8))]]
NAMES = ('dotted red star', 'ring', 'flip-flop_(sandal)')
ANN = 'annotations/instances_train2017.json'


def coco(root, cls=TextCocoDataset, **kwargs):
    kwargs.setdefault('pipeline', category_pipeline())
    return cls(data_root=str(root), ann_file=ANN, data_prefix=dict(img='train2017/'), **kwargs)


def test_names_come_raw_from_the_file_and_match_labels(tmp_path):
    dataset = coco(write_coco(tmp_path, NAMES, BOXES))
    sample = dataset[0]['data_samples']
    assert sample.text == NAMES and dataset.metainfo['classes'] == NAMES
    assert [sample.text[i] for i in sample.gt_instances.labels] == [NAMES[0], NAMES[2]]
    assert sample.gt_instances.bboxes.tensor.tolist() == [[2, 3, 12, 15], [30, 5, 50, 25]]
    assert sample.gt_instances.masks.masks.sum((1, 2)).tolist() == [120, 400]
    assert sample.gt_instances.masks.masks[0, 3:15, 2:12].all()
    assert (sample.text_mode, sample.source, sample.label_table) == ('category', 'coco', 'coco')
    assert sample.supervision == ('semantic', 'box', 'mask')


def test_stock_coco_dataset_gives_the_same_sample(tmp_path):
    root = write_coco(tmp_path, CocoDataset.METAINFO['classes'], BOXES, first_id=1)
    stock = coco(root, CocoDataset, return_classes=True)[0]['data_samples']
    ours = coco(root)[0]['data_samples']
    assert stock.text == ours.text == CocoDataset.METAINFO['classes']
    assert torch.equal(stock.gt_instances.labels, ours.gt_instances.labels)
    assert (stock.gt_instances.masks.masks == ours.gt_instances.masks.masks).all()
    # the built-in colours stay with the built-in names only
    assert coco(root).metainfo['palette'] == CocoDataset.METAINFO['palette']


def test_a_subset_of_names_keeps_the_order_of_the_file(tmp_path):
    root = write_coco(tmp_path, NAMES, BOXES)
    dataset = coco(root, metainfo=dict(classes=(NAMES[2], NAMES[0])))
    sample = dataset[0]['data_samples']
    assert sample.text == (NAMES[0], NAMES[2])
    assert sample.gt_instances.labels.tolist() == [0, 1]
    with pytest.raises(ValueError, match='no such thing'):
        coco(root, metainfo=dict(classes=('no such thing', )))
    edit_json(root / ANN, lambda content: content.update(categories=[]))
    with pytest.raises(ValueError, match='categories'):
        coco(root)


def test_crowds_go_and_images_with_nothing_else_too(tmp_path):
    root = write_coco(tmp_path, NAMES, [*BOXES, [(0, (1, 1, 9, 9))], []])

    def make_crowd(content):
        for ann in content['annotations']:
            if ann['image_id'] == 3 or ann['id'] == 1:
                ann.update(iscrowd=1, segmentation={'size': [48, 64], 'counts': [0, 48 * 64]})

    edit_json(root / ANN, make_crowd)
    dataset = coco(root, filter_cfg=dict(filter_empty_gt=True))
    assert [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))] == [1, 2]
    assert dataset[0]['data_samples'].gt_instances.labels.tolist() == [2]
    # polygons stay polygons although the crowd had an RLE
    assert dataset[0]['data_samples'].gt_instances.masks.masks.sum() == 400
    unfiltered = coco(root)
    assert len(unfiltered) == 4
    for index in (2, 3):  # crowd only, nothing at all: all-negative samples
        sample = unfiltered[index]['data_samples']
        assert len(sample.gt_instances) == 0 and sample.gt_instances.bboxes.shape == (0, 4)
        assert sample.gt_instances.masks.masks.shape == (0, 48, 64)


def test_lvis_reads_like_the_stock_data_set(tmp_path):
    root = write_coco(tmp_path, NAMES, BOXES, first_id=1)

    def make_lvis(content):
        for image in content['images']:
            image['coco_url'] = f'http://images.cocodataset.org/train2017/{image.pop("file_name")}'
            image.update(neg_category_ids=[], not_exhaustive_category_ids=[])

    edit_json(root / ANN, make_lvis)
    kwargs = dict(data_root=str(root), ann_file=ANN, data_prefix=dict(img=''),
                  pipeline=category_pipeline())
    ours, stock = TextLVISDataset(**kwargs), LVISV1Dataset(**kwargs)
    assert len(ours) == len(stock) == 2
    for i in range(2):
        mine, theirs = ours.get_data_info(i), stock.get_data_info(i)
        assert mine.pop('text') == NAMES
        assert mine == theirs
    assert ours[0]['inputs'].shape == (3, 48, 64)
    edit_json(root / ANN, lambda content: [
        image.update(file_name=image.pop('coco_url').split('org/')[1])
        for image in content['images']])
    minival = TextLVISDataset(**kwargs)
    assert [minival.get_data_info(i)['img_path'] for i in range(2)] == [
        ours.get_data_info(i)['img_path'] for i in range(2)]


def test_objects365_has_boxes_only(tmp_path):
    root = write_coco(tmp_path, NAMES, BOXES, folder='patch3')
    edit_json(root / ANN, lambda content: (
        [ann.pop('segmentation') for ann in content['annotations']],
        [image.update(file_name=f'images/v2/patch3/{image["file_name"]}')
         for image in content['images']]))
    dataset = TextObjects365Dataset(
        data_root=str(root), ann_file=ANN, data_prefix=dict(img=''),
        pipeline=category_pipeline(with_mask=False))
    sample = dataset[0]['data_samples']
    assert sample.text == NAMES and 'masks' not in sample.gt_instances
    assert sample.gt_instances.bboxes.shape == (2, 4)
    dataset = TextObjects365Dataset(data_root=str(root), ann_file=ANN, data_prefix=dict(img=''),
                                    pipeline=category_pipeline())
    with pytest.raises(ValueError, match=r'000000000001.jpg has no mask.*with_mask=False'):
        dataset[0]


def test_objects365_leaves_out_the_pictures_that_the_release_lacks(tmp_path):
    """Those that the stock data set leaves out too, in both spellings of their path."""
    root = write_coco(tmp_path, NAMES, BOXES, folder='patch3')
    edit_json(root / ANN, lambda content: content.update(images=[
        dict(content['images'][0], id=number, file_name=name) for number, name in enumerate([
            'images/v2/patch16/objects365_v2_00908726.jpg', 'images/v1/patch6/objects365_v1_00320532.jpg',
            'patch6/objects365_v1_00320534.jpg', 'images/v2/patch16/objects365_v2_00908727.jpg'], 1)]))
    kwargs = dict(data_root=str(root), ann_file=ANN, data_prefix=dict(img=''), pipeline=[], test_mode=True)
    ours, stock = TextObjects365Dataset(**kwargs), Objects365V2Dataset(**kwargs, metainfo=dict(classes=NAMES))
    for dataset in (ours, stock):
        paths = [dataset.get_data_info(index)['img_path'] for index in range(len(dataset))]
        assert paths == [f'{root}/patch16/objects365_v2_00908727.jpg']


def test_a_file_of_boxes_goes_through_the_test_pipeline_of_the_configs(tmp_path):
    """Boxes alone, one mask among boxes, and an empty list in the place of a mask."""
    config = Config.fromfile(CONFIGS / '_base_/datasets/image_sources.py').coco_val
    for change in (lambda rows: [row.pop('segmentation') for row in rows],
                   lambda rows: [row.update(segmentation=[]) for row in rows],
                   lambda rows: rows[0].update(segmentation=None)):
        root = write_coco(tmp_path, NAMES, [[(0, (2, 3, 10, 12)), (1, (30, 5, 20, 20))]])
        edit_json(root / ANN, lambda content: change(content['annotations']))
        dataset = DATASETS.build(dict(config, data_root=str(root), ann_file=ANN, data_prefix=dict(img='train2017/')))
        sample = dataset[0]['data_samples']
        assert sample.gt_instances.bboxes.tensor.tolist() == [[2, 3, 12, 15], [30, 5, 50, 25]]
        assert sample.gt_instances.labels.tolist() == [0, 1] and sample.ori_shape == (48, 64)
        assert sample.gt_instances.masks.masks.shape == (2, 48, 64) and not sample.gt_instances.masks.masks[0].any()


OBJECTS = [(1, 1, (4, 4, 10, 10)), (1, 1, (30, 4, 10, 20)), (1, 2, (20, 30, 12, 12)),
           (2, 2, (8, 8, 16, 16))]
REFS = [dict(ann=0, split='train', sentences=['Left star.', 'The small star']),
        dict(ann=2, split='train', sentences=['ring']),
        dict(ann=3, split='train', sentences=['only ring', 'the ring', 'A ring!'])]


def refer_datasets(root, **kwargs):
    refer = ReferDataset(
        data_root=str(root), ann_file='refcoco/instances.json', split_file='refcoco/refs(unc).p',
        data_prefix=dict(img_path='train2014/'), split='train', **kwargs)
    as_json = RefCocoJsonDataset(
        data_root=str(root), ann_file='annotations/refcoco-unc/instances_train.json',
        data_prefix=dict(img='train2014/'), **kwargs)
    return refer, as_json


def test_both_refcoco_formats_give_the_same_items(tmp_path):
    root = write_refer(tmp_path, REFS, OBJECTS, num_images=2)
    for test_mode, sizes in ((False, [2, 1, 3]), (True, [3, 3])):
        refer, as_json = refer_datasets(root, test_mode=test_mode)
        items = [[d.get_data_info(i) for i in range(len(d))] for d in (refer, as_json)]
        assert [len(item['text']) for item in items[0]] == sizes
        for ours, theirs in zip(*items, strict=True):
            ours.pop('candidates')
            ours.pop('img_id'), theirs.pop('img_id')  # image entries have ids of their own
            assert ours == theirs
    # boxes of all objects of the referred object's category in its image
    assert refer.get_data_info(0)['candidates'] == [
        [[4, 4, 14, 14], [30, 4, 40, 24]]] * 2 + [[[20, 30, 32, 42]]]


def test_expression_training_item(tmp_path):
    root = write_refer(tmp_path, REFS, OBJECTS, num_images=2)
    np.random.seed(0)
    for dataset in refer_datasets(root, pipeline=expression_pipeline()):
        seen = set()
        for _ in range(40):
            sample = dataset[0]['data_samples']
            seen.add(sample.text)
            assert sample.gt_instances.labels.tolist() == [0]
            assert sample.gt_instances.bboxes.tensor.tolist() == [[4, 4, 14, 14]]
            assert (sample.text_mode, sample.label_table) == ('expression', 'object')
        assert seen == {('left star', ), ('the small star', )}


def test_stock_refcoco_dataset_works_in_both_pipelines(tmp_path):
    root = write_refer(tmp_path, REFS, OBJECTS, num_images=2)
    stock = dict(
        data_root=str(root), ann_file='refcoco/instances.json', split_file='refcoco/refs(unc).p',
        data_prefix=dict(img_path='train2014/'), split='train', text_mode='original')
    sample = RefCocoDataset(**stock, pipeline=expression_pipeline())[0]['data_samples']
    assert len(sample.text) == len(sample.gt_instances) == 1
    ours = refer_datasets(root, test_mode=True, pipeline=expression_test_pipeline())[0]
    for mine, theirs in zip(ours, RefCocoDataset(
            **stock, test_mode=True, pipeline=expression_test_pipeline()), strict=True):
        mine, theirs = mine['data_samples'], theirs['data_samples']
        assert mine.text == theirs.text
        assert mine.gt_instances.labels.tolist() == theirs.gt_instances.labels.tolist() == [0, 1, 2]
        # the stock reader has no boxes: they come from the masks, here pixel-exact
        assert torch.equal(mine.gt_instances.bboxes.tensor, theirs.gt_instances.bboxes.tensor)
        assert mine.ori_shape == (48, 64) and mine.img_shape == (72, 96)
        assert mine.gt_instances.masks.to_ndarray().shape == (3, 48, 64)


def test_bad_refcoco_rows_are_skipped_in_training_and_named_in_tests(tmp_path):
    root = write_refer(tmp_path, REFS, OBJECTS, num_images=2)
    path = root / 'annotations/refcoco-unc/instances_train.json'
    good = json.loads(path.read_text())
    for change, reason, scored in (
            (lambda c: c['annotations'].pop(1), 'expression without a box', None),
            (lambda c: c['images'][1].pop('expressions'), 'no expression', None),
            (lambda c: c['images'][1].update(expressions=[' ']), 'no expression', None),
            (lambda c: c['annotations'].append(dict(c['annotations'][1], id=99)),
             'expression of several objects', None),
            (lambda c: c['annotations'][1].update(bbox=[1, 1, float('nan'), 5]), 'box that is not finite', None),
            (lambda c: c['annotations'][1].update(bbox=[1, 1, 0, 5]), 'box of zero area', dict(bbox=[1, 1, 1, 6])),
            (lambda c: c['annotations'][1].update(segmentation=[[1, 1, 2, 2]]),
             'polygon with fewer than 3 points', dict(mask=None))):
        path.write_text(json.dumps(good))
        edit_json(path, change)
        with captured_log() as messages:
            as_json = refer_datasets(root)[1]
        summary, = [message for message in messages if 'left out' in message]
        assert f'{reason}: 1 (first: row 1 of `images`, id 1001)' in summary and str(path) in summary
        assert ['ring'] not in [as_json.get_data_info(i)['text'] for i in range(len(as_json))]
        with captured_log() as messages:
            as_json = refer_datasets(root, test_mode=True)[1]
        assert any(f'{reason}: 1 (first: ' in message and str(path) in message for message in messages)
        found = [(said, obj) for i in range(len(as_json)) for item in [as_json.get_data_info(i)]
                 for said, obj in zip(item['text'], item['instances']) if said == 'ring']
        # a box that nothing hits and a mask of nothing are scored as missed
        assert [obj for _, obj in found] == ([] if scored is None else [dict(found[0][1], **scored)])
    with pytest.raises(ValueError, match='group_by'):
        refer_datasets(root, group_by='sentence')

"""Files as their owners publish them, converted and read to values worked out by hand."""
import json
import tarfile

import numpy as np
import pytest
import torch
from conversion_files import read, refer_files, write
from logs import captured_log
from mmdet.registry import DATASETS
from paths import FORMATS
from PIL import Image
from pycocotools import mask as mask_utils

from projects.glee.datasets.conversion import (
    ConversionError,
    convert_bdd_tracks,
    convert_grit,
    convert_lvis_minival,
    convert_refer,
    convert_sa1b,
    convert_tao,
    convert_uvo,
    convert_visual_genome,
    merge_refcoco,
)
from projects.glee.datasets.image import (
    PhraseDataset,
    RefCocoJsonDataset,
    SA1BDataset,
    TextCocoDataset,
    TextLVISDataset,
)
from projects.glee.datasets.store.json_groups import iterate_list
from projects.glee.datasets.video import YTVISJsonDataset
from projects.glee.evaluation.metrics import CocoEvalMetric, LVISEvalMetric

READING = dict(pipeline=[], check_files=False)
RUNS = dict(size=[4, 6], counts='531O<')  # runs 5, 3, 1, 2, 13: five pixels in the box 1, 1, 2, 3


def items(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


# ---- Visual Genome ----
def test_objects_of_visual_genome(tmp_path):
    folder = FORMATS / 'visual_genome'
    skipped = convert_visual_genome(folder / 'objects.json', folder / 'image_data.json', tmp_path / 'names.json')
    content = read(tmp_path / 'names.json')
    assert [(i['id'], i['file_name'], i['width'], i['height'], i['original_id']) for i in content['images']] == [
        (1, '1.jpg', 800, 600, 1), (2, '2316003.jpg', 640, 480, 2316003)]
    assert [(a['image_id'], a['bbox'], a['object_name']) for a in content['annotations']] == [
        (1, [0, 0, 799, 557], 'trees'), (1, [78, 308, 722, 290], 'sidewalk'), (2, [-5, 440, 50, 60], 'crème brûlée')]
    assert skipped == {'box of zero area': 1, 'no phrase': 1, 'image that image_data.json lacks': 1}
    dataset = PhraseDataset(data_root=f'{tmp_path}/', ann_file='names.json', data_prefix=dict(img='images/'), **READING)
    assert [item['text'] for item in items(dataset)] == [['trees', 'sidewalk'], ['crème brûlée']]
    assert items(dataset)[0]['instances'][1] == dict(ignore_flag=0, bbox=[78, 308, 800, 598], bbox_label=1)


def test_regions_of_visual_genome(tmp_path):
    folder = FORMATS / 'visual_genome'
    skipped = convert_visual_genome(folder / 'region_descriptions.json', folder / 'image_data.json',
                                    tmp_path / 'captions.json', '{folder}/{id}.jpg')
    content = read(tmp_path / 'captions.json')
    assert [image['file_name'] for image in content['images']] == ['VG_100K_2/1.jpg']
    assert [(a['bbox'], a['caption']) for a in content['annotations']] == [
        ([421, 57, 82, 139], 'the clock is green in colour'), ([194, 372, 182, 213], 'shade is along the street')]
    assert skipped == {'image without a phrase': 1}


def test_files_that_are_not_of_visual_genome_are_named(tmp_path):
    folder = FORMATS / 'visual_genome'
    with pytest.raises(ConversionError, match='none.json does not exist'):
        convert_visual_genome(tmp_path / 'none.json', folder / 'image_data.json', tmp_path / 'o.json')
    with pytest.raises(ConversionError, match='no row with an image_id'):
        convert_visual_genome(folder / 'objects.json', write(tmp_path / 'x.json', [{}]), tmp_path / 'o.json')
    with pytest.raises(ConversionError, match='x.json .* one JSON list'):
        convert_visual_genome(write(tmp_path / 'x.json', {}), folder / 'image_data.json', tmp_path / 'o.json')
    (tmp_path / 'x.json').write_text('[{"a": 1}, {"a"')
    with pytest.raises(ValueError, match='x.json is not valid JSON'):
        list(iterate_list(str(tmp_path / 'x.json')))


# ---- REFER ----
def test_pickles_of_refer_become_the_files_that_are_merged(tmp_path):
    counts = convert_refer(*refer_files(tmp_path / 'refcoco'), tmp_path / 'refcoco-unc', 'refcoco')
    assert counts == {'train: objects': 1, 'testA: objects': 1, 'val: objects': 1, 'ref of an unknown annotation': 1,
                      'no expression': 1}
    content = read(tmp_path / 'refcoco-unc/instances_train.json')
    assert content['images'] == [{
        'file_name': 'COCO_train2014_000000581857.jpg', 'width': 40, 'height': 30, 'original_id': 581857,
        'expressions': ['THE LADY WITH THE BLUE SHIRT', 'lady w back to us'], 'id': 1, 'dataset_name': 'refcoco'}]
    assert content['annotations'] == [{
        'category_id': 1, 'bbox': [5, 2, 8, 10], 'area': 80.0, 'iscrowd': 0, 'original_id': 16, 'id': 1, 'image_id': 1,
        'segmentation': [[5, 2, 13, 2, 13, 12, 5, 12]]}]
    data = dict(data_root=f'{tmp_path}/', data_prefix=dict(img='train2014/'), **READING)
    item, = items(RefCocoJsonDataset(ann_file='refcoco-unc/instances_train.json', **data))
    assert item['text'] == ['THE LADY WITH THE BLUE SHIRT', 'lady w back to us']
    assert [instance['bbox'] for instance in item['instances']] == [[5, 2, 13, 12]] * 2
    # the picture is of val, too, so that nothing of train may stay
    files = {split: tmp_path / f'refcoco-unc/instances_{split}.json' for split in ('train', 'val', 'testA')}
    assert merge_refcoco([files['train']], [files['testA']], tmp_path / 'mixed.json')['kept'] == 1
    assert merge_refcoco([files['train']], [files['val']], tmp_path / 'mixed.json')['kept'] == 0


def test_files_that_are_not_of_refer_are_named(tmp_path):
    refs, instances = refer_files(tmp_path / 'refcoco')
    with pytest.raises(ConversionError, match='gone.p does not exist'):
        convert_refer(tmp_path / 'gone.p', instances, tmp_path, 'refcoco')
    (tmp_path / 'evil.p').write_bytes(b'cos\nsystem\n(S"true"\ntR.')
    with pytest.raises(ConversionError, match='nothing of it was run'):
        convert_refer(tmp_path / 'evil.p', instances, tmp_path, 'refcoco')
    with pytest.raises(ConversionError, match='none.json lacks ..annotations'):
        convert_refer(refs, write(tmp_path / 'none.json', {'images': []}), tmp_path, 'refcoco')
    with pytest.raises(ConversionError, match='no object can be used: ref of an unknown annotation: .*ref 0'):
        convert_refer(refs, write(tmp_path / 'none.json', {'images': [], 'annotations': []}), tmp_path, 'refcoco')


# ---- TAO ----
def test_tao_in_the_layout_of_youtube_vis(tmp_path):
    assert not convert_tao(FORMATS / 'tao/validation.json', tmp_path / 'ytvis.json')
    content = read(tmp_path / 'ytvis.json')
    first, second = content['videos']
    folder = 'val/YFCC100M/v_f69ebe5b731d3e87c1a3992ee39c3b7e'
    assert first['file_names'] == [f'{folder}/frame0391.jpg', f'{folder}/frame0511.jpg']
    assert (first['id'], first['image_ids'], first['length'], first['name']) == (0, [11, 12], 2, folder)
    assert (first['neg_category_ids'], first['not_exhaustive_category_ids']) == ([342, 57], [805])
    assert [(a['id'], a['video_id'], a['category_id'], a['bboxes']) for a in content['annotations']] == [
        (3, 0, 805, [[360, 270, 40, 110], [368, 272, 34, 112]]), (5, 0, 95, [[10, 20, 60, 40], None]),
        (9, 7, 1211, [[5, 6, 10, 20]]), (10, 7, 34, [[100, 6, 10, 20]])]
    assert content['categories'][2]['merged'] == [{'id': 1211, 'name': 'man'}, {'id': 1229, 'name': 'woman'}]
    reading = dict(ann_file=str(tmp_path / 'ytvis.json'), data_prefix=dict(img='frames/'), pipeline=[], test_mode=True)
    own, with_truth = YTVISJsonDataset(**reading), YTVISJsonDataset(
        eval_file=str(FORMATS / 'tao/validation.json'), **reading)
    for one, two in zip(items(own), items(with_truth), strict=True):
        for mine, theirs in zip(one['images'], two['images'], strict=True):
            assert mine['img_id'] == theirs['img_id'] and mine['instances'] != []
            key = ('bbox', 'bbox_label')
            assert sorted([o[k] for k in key] for o in mine['instances']) == sorted(
                [o[k] for k in key] for o in theirs['instances'])
    content = json.loads((FORMATS / 'tao/validation.json').read_text())
    del content['categories'][2]['merged']
    with pytest.raises(ConversionError, match='no category has `merged`'):
        convert_tao(write(tmp_path / 'unmerged.json', content), tmp_path / 'o.json')


def test_broken_rows_of_tao_are_counted(tmp_path):
    content = json.loads((FORMATS / 'tao/validation.json').read_text())
    content['annotations'][0]['bbox'] = [1, 2, float('nan'), 4]
    content['annotations'][1]['track_id'] = 77
    content['annotations'][2] = None
    content['images'][2]['frame_index'] = 'x'
    skipped = convert_tao(write(tmp_path / 'tao.json', content), tmp_path / 'o.json')
    assert skipped == {'box that is not finite': 1, 'annotation of an unknown track': 1,
                       'entry of `annotations` that is no row': 1, 'frame_index that is no number': 1,
                       'video without images': 1, 'track of an unknown video': 2}
    assert read(tmp_path / 'o.json')['annotations'] == []


# ---- UVO ----
def test_frames_of_uvo_have_one_category(tmp_path):
    convert_uvo(FORMATS / 'uvo/UVO_frame_val.json', tmp_path / 'onecate.json')
    content = read(tmp_path / 'onecate.json')
    assert [(row['id'], row['name']) for row in content['categories']] == [(1, 'object')]
    dataset = TextCocoDataset(data_root=f'{tmp_path}/', ann_file='onecate.json', data_prefix=dict(img='frames/'),
                              prompts='uvo_frame', **READING)
    assert [(item['img_path'], item['text'], item['instances'][0]['bbox_label']) for item in items(dataset)] == [
        (f'{tmp_path}/frames/0Rlb5OCSACk/0.png', ('object', ), 0),
        (f'{tmp_path}/frames/0Rlb5OCSACk/30.png', ('object', ), 0)]
    # without the converter, too
    official = TextCocoDataset(ann_file=str(FORMATS / 'uvo/UVO_frame_val.json'), prompts='uvo_frame', **READING)
    assert [[o['bbox_label'] for o in item['instances']] for item in items(official)] == [[0], [0]]


def test_other_of_uvo_is_called_object(tmp_path):
    convert_uvo(FORMATS / 'uvo/UVO_video_val_dense_with_label.json', tmp_path / 'o.json', suffix='.jpg')
    content = read(tmp_path / 'o.json')
    assert [(row['id'], row['name']) for row in content['categories']] == [(1, 'person'), (72, 'tv'), (91, 'object')]
    assert [row['category_id'] for row in content['annotations']] == [91, 1, 72]
    assert content['videos'][0]['file_names'] == ['-BU2Vx3iYlc/0.jpg', '-BU2Vx3iYlc/1.jpg']
    convert_uvo(FORMATS / 'uvo/UVO_video_val_dense_with_label.json', tmp_path / 'o.json', one_category=True)
    assert {row['category_id'] for row in read(tmp_path / 'o.json')['annotations']} == {1}
    with pytest.raises(ConversionError, match='neither `images` nor `videos`'):
        convert_uvo(write(tmp_path / 'x.json', {'categories': []}), tmp_path / 'o.json')


# ---- LVIS minival ----
def test_minival_are_the_images_of_val2017(tmp_path):
    assert convert_lvis_minival(FORMATS / 'lvis/lvis_v1_val.json', tmp_path / 'minival.json') == {
        'images kept': 1, 'images of other splits': 1}
    content = read(tmp_path / 'minival.json')
    assert [(i['id'], i['file_name'], i['neg_category_ids']) for i in content['images']] == [
        (397133, '000000397133.jpg', [2])]
    assert [row['id'] for row in content['annotations']] == [1] and len(content['categories']) == 2
    dataset = TextLVISDataset(data_root=f'{tmp_path}/', ann_file='minival.json', data_prefix=dict(img='coco/'),
                              test_mode=True, **READING)
    item, = items(dataset)
    assert item['img_path'] == f'{tmp_path}/coco/val2017/000000397133.jpg'
    assert item['instances'][0]['bbox'] == [20, 30, 60, 40] and item['text'] == ('aerosol_can', 'air_conditioner')


# ---- SA-1B, one folder per tar ----
def test_sa1b_in_one_folder_per_tar(tmp_path):
    """Equal names in two folders stay two; folders and numbers in their order."""
    skipped = convert_sa1b(FORMATS / 'sa1b', tmp_path / 'images', tmp_path / 'index.json')
    index = read(tmp_path / 'index.json')
    assert [image['file_name'] for image in index['images']] == [
        'sa_000000/sa_2.jpg', 'sa_000000/sa_11.jpg', 'sa_000010/sa_2.jpg']
    assert [(a['image_id'], a['bbox']) for a in index['annotations']] == [
        (1, [0, 0, 6, 4]), (2, [1, 1, 2, 3]), (3, [1, 1, 2, 3])] and skipped == {'part of a larger mask': 1}
    assert [row['id'] for row in read(tmp_path / 'images/sa_000010/sa_2.json')['annotations']] == [700]
    for image in index['images']:
        Image.new('RGB', (6, 4)).save(tmp_path / 'images' / image['file_name'])
    dataset = SA1BDataset(data_root=f'{tmp_path}/', ann_file='index.json', data_prefix=dict(img='images/'),
                          prompts='sa1b', pipeline=[dict(type='LoadImage'), dict(type='LoadSA1BMasks')])
    assert [dataset[i]['instances'][0]['mask']['counts'] for i in range(3)] == ['0h0', '531O<', '531O<']


# ---- BDD100K rles/ ----
def test_run_length_codes_of_bdd_seg_track(tmp_path):
    skipped = convert_bdd_tracks(FORMATS / 'bdd/rles', tmp_path / 'o.json', masks=True)
    track, = read(tmp_path / 'o.json')['annotations']
    assert track['bboxes'] == [[1, 1, 2, 3], [0, 0, 6, 4]] and track['areas'] == [5, 24] and track['category_id'] == 3
    assert track['segmentations'][0] == RUNS and sum(skipped.values()) == 1
    expected = np.zeros(24, int)
    expected[[5, 6, 7, 9, 10]] = 1
    assert np.array_equal(mask_utils.decode(track['segmentations'][0]).T.reshape(-1), expected)


# ---- GRIT ----
def test_failed_downloads_of_grit_are_counted_as_such(tmp_path):
    skipped = convert_grit(FORMATS / 'grit', tmp_path / 'o.json')
    content = read(tmp_path / 'o.json')
    assert [(image['file_name'], image['width'], image['height']) for image in content['images']] == [
        ('00000/000000000.jpg', 100, 50)]
    assert [(row['caption'], row['bbox']) for row in content['annotations']] == [
        ('a man', [10, 10, 50, 40]), ('a blue shirt', [10, 25, 30, 20])]
    assert skipped == {'image that was not downloaded': 2}


def test_pictures_inside_tars_are_to_be_unpacked(tmp_path):
    """Readers open files: the error names the archive."""
    (tmp_path / 'images').mkdir()
    with tarfile.open(tmp_path / 'images/00000.tar', 'w') as archive:
        archive.add(FORMATS / 'grit/00000/000000000.json', '000000000.json')
        archive.add(FORMATS / 'odinw/annotations_without_background.json', '000000000.jpg')
    convert_grit(tmp_path / 'images', tmp_path / 'grit.json')
    with pytest.raises(FileNotFoundError, match=r'unpack .*images/00000.tar and the others'):
        PhraseDataset(data_root=f'{tmp_path}/', ann_file='grit.json', data_prefix=dict(img='images/'), pipeline=[])


# ---- ODinW: boxes alone ----
def test_files_without_masks_give_boxes_in_the_test_pipeline(tmp_path):
    Image.new('RGB', (40, 30)).save(tmp_path / 'IMG_4525_jpg.rf.9999.jpg')
    dataset = DATASETS.build(dict(
        type='TextCocoDataset', ann_file=str(FORMATS / 'odinw/annotations_without_background.json'),
        data_prefix=dict(img=str(tmp_path)), prompts='odinw13_rabbits', test_mode=True, pipeline=[
            dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'), dict(type='SetSource', source='test'),
            dict(type='PillowResize', scale=(80, 60), keep_ratio=True),
            dict(type='LoadInstances', keep_unmasked=True), dict(type='PackGLEEInputs')]))
    item = dataset[0]['data_samples']
    assert item.gt_instances.bboxes.tensor.tolist() == [[5, 6, 25, 16], [1, 1, 9.5, 9.5]]
    assert item.text == ('rabbits', ) and not item.gt_instances.masks.masks.any()


def predicted(image_id, size, boxes):
    """Data samples of one picture with boxes (xyxy), all of label 0, and their rectangles as masks."""
    masks = torch.zeros(len(boxes), *size, dtype=torch.bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes):
        mask[int(y1):int(y2), int(x1):int(x2)] = True
    found = dict(bboxes=torch.tensor(boxes), scores=torch.linspace(0.9, 0.8, len(boxes)), masks=masks,
                 labels=torch.zeros(len(boxes), dtype=torch.long))
    return [dict(img_id=image_id, ori_shape=size, pred_instances=found)]


def test_proposals_on_frames_of_uvo_as_they_are_released():
    """All of its categories are 'object': AR of two objects, one of which is found."""
    path = str(FORMATS / 'uvo/UVO_frame_val.json')
    dataset = TextCocoDataset(ann_file=path, prompts='uvo_frame', test_mode=True, **READING)
    dataset.full_init()
    metric = CocoEvalMetric(path, 'segm', metric_items=['AR@1000'])
    metric.dataset_meta = dataset.metainfo
    metric.process({}, predicted(0, (4, 6), [[0., 0., 6., 4.]]) + predicted(1, (4, 6), [[0., 0., 6., 4.]]))
    assert metric.evaluate(2)['coco/segm_AR@1000'] == 0.5


@pytest.mark.parametrize('metrics, expected', [(['bbox', 'segm'], {'coco/bbox_mAP': 1.0}), (['segm'], {})])
def test_masks_of_a_file_of_boxes_are_not_scored(metrics, expected):
    """pycocotools would say 0."""
    metric = CocoEvalMetric(str(FORMATS / 'odinw/annotations_without_background.json'), metrics)
    metric.dataset_meta = dict(classes=('rabbits', ))
    metric.process({}, predicted(0, (30, 40), [[5., 6., 25., 16.], [1., 1., 9.5, 9.5]]))
    with captured_log() as messages:
        numbers = metric.evaluate(1)
    assert {name: value for name, value in numbers.items() if name in expected} == expected
    assert not any(name.startswith('coco/segm') for name in numbers)
    assert any('nothing was scored for' in m and 'segm_mAP' in m for m in messages)


def test_minival_is_scored_as_lvis(tmp_path):
    """Also as MDETR publishes it, with boxes alone."""
    for with_masks in (True, False):
        convert_lvis_minival(FORMATS / 'lvis/lvis_v1_val.json', tmp_path / 'minival.json')
        if not with_masks:
            content = read(tmp_path / 'minival.json')
            del content['annotations'][0]['segmentation']
            write(tmp_path / 'minival.json', content)
        metric = LVISEvalMetric(str(tmp_path / 'minival.json'), metric=['bbox', 'segm'])
        metric.dataset_meta = dict(classes=('aerosol_can', 'air_conditioner'))
        metric.process({}, predicted(397133, (427, 640), [[20., 30., 60., 40.]]))
        numbers = metric.evaluate(1)
        assert numbers['lvis/bbox_AP'] == pytest.approx(1) and ('lvis/segm_AP' in numbers) == with_masks
        assert numbers.get('lvis/segm_AP', 1) == pytest.approx(1)

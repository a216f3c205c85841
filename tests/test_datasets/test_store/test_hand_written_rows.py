"""Rows written by hand after the owners' format pages: what has one meaning is understood, the rest named."""
import json
import re
from collections import Counter

import numpy as np
import pytest
from logs import captured_log
from paths import FORMATS
from PIL import Image

from projects.glee.datasets.conversion import convert_videos
from projects.glee.datasets.image import TextCocoDataset
from projects.glee.datasets.transforms import FilterObjects, LoadInstances, RasterizeMasks
from projects.glee.datasets.video import VideoFramesDataset, YTVISJsonDataset
from projects.glee.structures import masks

COCO = FORMATS / 'coco'
YTVIS = FORMATS / 'ytvis'


def coco(name, **kwargs):
    options = dict(check_files=False, pipeline=[], masks='required', **kwargs)
    return TextCocoDataset(data_root=str(COCO), ann_file=f'{name}.json', data_prefix=dict(img='x/'), **options)


def items(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def summary_of(messages, name):
    """Reason -> count of the one warning about a file."""
    found, = [m for m in messages if f'{name}.json: ' in m and 'unusable rows left out' in m]
    return {reason: int(count) for reason, count in re.findall(r'; (.+?): (\d+) \(first: [^)]*\)', found)}


def pixels(instances, size):
    return [masks.decode(masks.to_rle(instance['mask'], *size)) if 'mask' in instance else None
            for instance in instances]


# ---- COCO ----
def test_unusual_forms_mean_what_plain_ones_do():
    with captured_log() as messages:
        plain, unusual = items(coco('plain')), items(coco('unusual'))
    assert not [m for m in messages if 'left out' in m]
    assert [len(item['instances']) for item in plain] == [3, 3]
    for a, b in zip(plain, unusual, strict=True):
        assert (a['height'], a['width']) == (b['height'], b['width']) and type(b['width']) is int
        for mine, theirs in zip(a['instances'], b['instances'], strict=True):
            assert [mine[key] for key in ('bbox', 'bbox_label', 'ignore_flag')] == [
                theirs[key] for key in ('bbox', 'bbox_label', 'ignore_flag')]
        size = a['height'], a['width']
        for mine, theirs in zip(pixels(a['instances'], size), pixels(b['instances'], size)):
            assert (mine is None and theirs is None) or np.array_equal(mine, theirs)


def test_plain_rows_against_values_worked_out_by_hand():
    first, second = items(coco('plain'))
    square = np.zeros((30, 40), bool)
    square[6:16, 5:25] = True
    two = np.zeros((30, 40), bool)
    two[1:9, 1:9] = two[11:15, 20:31] = True
    assert [o['bbox'] for o in first['instances']] == [[5, 6, 25, 16], [5, 6, 25, 16], [0.5, 1, 31, 21]]
    assert [o['bbox_label'] for o in first['instances']] == [0, 1, 0]
    assert all(np.array_equal(a, b) for a, b in zip(pixels(first['instances'], (30, 40)), (square, square, two)))
    runs, crowd, all_of_it = pixels(second['instances'], (4, 6))
    assert runs.T.astype(int).reshape(-1).tolist() == [0] * 5 + [1] * 3 + [0] + [1] * 2 + [0] * 13
    assert crowd is None and second['instances'][1]['ignore_flag'] == 1
    assert all_of_it.all() and second['instances'][2]['bbox'] == [-1, -1, 7, 5]


def test_every_broken_row_is_counted_under_its_reason():
    rows = json.loads((COCO / 'broken.json').read_text())['annotations']
    with captured_log() as messages:
        item, = items(coco('broken'))
    assert summary_of(messages, 'broken') == Counter(row['why'] for row in rows if 'why' in row)
    assert [instance['bbox'] for instance in item['instances']] == [[5, 6, 25, 16]]


def test_a_broken_mask_does_not_take_the_box_from_a_test():
    rows = json.loads((COCO / 'broken.json').read_text())['annotations']
    with captured_log() as messages:
        item, = items(coco('broken', test_mode=True))
    assert summary_of(messages, 'broken') == Counter(row['why'] for row in rows if 'why' in row)
    of_masks = ('polygon', 'RLE', 'run', 'mask', 'empty RLE', 'no mask')
    assert len(item['instances']) == 1 + sum(row.get('why', '').startswith(of_masks) for row in rows)
    assert [('mask' in instance) for instance in item['instances']] == [True] + [False] * 16


@pytest.mark.parametrize('name', ['plain', 'broken'])
def test_stock_records_with_broken_masks_go_through_the_transforms(name):
    """A data set of mmdet's own checks nothing: the transforms do."""
    rows = json.loads((COCO / f'{name}.json').read_text())['annotations']
    rows = [row for row in rows if row['image_id'] == 1 and row.get('segmentation')]
    results = dict(img_path='a.png', ori_shape=(30, 40), img_shape=(30, 40), height=30, width=40,
                   img=np.zeros((30, 40, 3), np.uint8),
                   instances=[dict(bbox=[5, 6, 25, 16], bbox_label=0, mask=row['segmentation']) for row in rows])
    with captured_log() as messages:
        for step in (LoadInstances(), RasterizeMasks(), FilterObjects()):
            results = step(results)
    broken = [row['why'] for row in rows if row.get('why', '').startswith(('polygon', 'RLE', 'run', 'mask', 'empty'))]
    assert len(messages) == len(broken) and all(why in m for why, m in zip(broken, messages))
    assert len(results['gt_masks']) == len(rows) - len(broken)
    assert results['gt_masks'].masks[0][6:16, 5:25].all() and results['gt_masks'].masks[0].sum() == 200


# ---- YouTube-VIS: clips, single frames and the converter give the same ----
def as_clips(name, **kwargs):
    data = YTVISJsonDataset(data_root=str(YTVIS), ann_file=f'{name}.json', data_prefix=dict(img='x/'), pipeline=[],
                            **kwargs)
    return [frame['instances'] for i in range(len(data)) for frame in data.get_data_info(i)['images']]


def as_frames(name, **kwargs):
    data = VideoFramesDataset(data_root=str(YTVIS), ann_file=f'{name}.json', data_prefix=dict(img='x/'), pipeline=[],
                              check_files=False, **kwargs)
    return [item['instances'] for item in items(data)]


def as_images(name, folder):
    """The frames that ``convert_videos`` writes, as ``TextCocoDataset`` reads them, and what was left out."""
    skipped = convert_videos(YTVIS / f'{name}.json', folder / 'frames.json')
    data = TextCocoDataset(data_root=str(folder), ann_file='frames.json', data_prefix=dict(img='x/'), pipeline=[],
                           check_files=False)
    return [item['instances'] for item in items(data)], skipped


def seen(frames, size):
    """What matters of each object: box, label, whether it is a crowd, and the pixels where it is none."""
    return [[(instance['bbox'], instance['bbox_label'], bool(instance['ignore_flag']),
              None if instance['ignore_flag'] else
              masks.to_rle(instance['mask'], *size)['counts']) for instance in instances] for instances in frames]


def test_tracks_in_unusual_forms(tmp_path):
    clips, frames, (images, skipped) = as_clips('unusual'), as_frames('unusual'), as_images('unusual', tmp_path)
    assert seen(clips, (4, 6)) == seen(frames, (4, 6)) == seen(images, (4, 6)) and not +skipped
    assert [[(o['bbox'], o['ignore_flag']) for o in instances] for instances in clips] == [
        [([1, 1, 4, 4], 0)], [([1, 0, 5, 2], 1)], [([0, 0, 6, 4], 0), ([1, 0, 5, 2], 1)]]
    runs = masks.decode(clips[0][0]['mask']).T.astype(int).reshape(-1).tolist()
    assert runs == [0] * 5 + [1] * 3 + [0] + [1] * 2 + [0] * 13


def test_broken_tracks(tmp_path):
    rows = json.loads((YTVIS / 'broken.json').read_text())['annotations']
    with captured_log() as messages:
        clips = as_clips('broken')
    reasons = summary_of(messages, 'broken')
    with captured_log() as messages:
        frames = as_frames('broken')
    images, skipped = as_images('broken', tmp_path)
    assert reasons == summary_of(messages, 'broken') == +skipped == Counter(row['why'] for row in rows if 'why' in row)
    assert seen(clips, (4, 6)) == seen(frames, (4, 6)) == seen(images, (4, 6))
    # in each frame all tracks but those that are broken there or as a whole
    whole = {row['id'] for row in rows if 'why' in row and row['frame'] is None}
    for frame, instances in enumerate(clips):
        assert [o['instance_id'] for o in instances] == [
            row['id'] for row in rows if row['id'] not in whole and row.get('frame', -1) != frame]
    assert seen(as_clips('broken', test_mode=True), (4, 6)) == seen(clips, (4, 6))


def test_pictures_of_the_hand_written_files_can_be_trained_on(tmp_path):
    """The whole training pipeline on the files as they are, beside pictures of the sizes they name."""
    for name, size in (('a', (40, 30)), ('b', (6, 4))):
        Image.new('RGB', size, 'white').save(tmp_path / f'{name}.png')
    for name, objects in (('plain', [3, 2]), ('unusual', [3, 2]), ('broken', [1])):
        (tmp_path / f'{name}.json').write_text((COCO / f'{name}.json').read_text())
        data = TextCocoDataset(
            data_root=str(tmp_path), ann_file=f'{name}.json', data_prefix=dict(img=''), masks='required',
            pipeline=[dict(type='LoadImage', skip_unreadable=True), dict(type='LoadInstances'),
                      dict(type='RandomFlip', prob=0.5), dict(type='PillowResize', scale=(80, 60), keep_ratio=True),
                      dict(type='RasterizeMasks'), dict(type='FilterObjects'),
                      dict(type='SetSource', source='coco'), dict(type='PackGLEEInputs')])
        samples = [data[i]['data_samples'] for i in range(len(data))]
        assert [len(sample.gt_instances) for sample in samples] == objects
        assert all(sample.gt_instances.masks.masks.any((1, 2)).all() for sample in samples)

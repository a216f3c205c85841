"""Readers of phrases, video frames and SA-1B, on tiny files in their formats."""
import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from image_files import edit_json, rectangle, save_image, write_json
from logs import captured_log
from mmdet.registry import DATASETS

from projects.glee.datasets.image import PhraseDataset, SA1BDataset
from projects.glee.datasets.image.phrase_names import count_phrases, write_names
from projects.glee.datasets.transforms import AddNegativeNames
from projects.glee.datasets.transforms.negative_names import read_names
from projects.glee.datasets.video import VideoFramesDataset
from projects.glee.models.data_preprocessors.data_preprocessor import GLEEDataPreprocessor

WIDTH, HEIGHT = 64, 48


def compressed(x, y, w, h):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8, order='F')
    mask[y:y + h, x:x + w] = 1
    rle = mask_utils.encode(mask)
    return dict(size=[HEIGHT, WIDTH], counts=rle['counts'].decode())


def uncompressed(x, y, w, h):
    flat = mask_utils.decode(compressed(x, y, w, h)).reshape(-1, order='F')
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]]))).tolist()
    counts = np.diff([0, *edges, flat.size]).tolist()
    return dict(size=[HEIGHT, WIDTH], counts=[c for i, c in enumerate(counts) if c or i < len(counts) - 1])


# ---- phrases ----

def write_phrases(root, rows, images=2):
    for i in range(images):
        save_image(root / f'images/{i + 1}.jpg', WIDTH, HEIGHT, seed=i)
    write_json(root / 'train.json', dict(
        images=[dict(id=i + 1, file_name=f'{i + 1}.jpg', width=WIDTH, height=HEIGHT)
                for i in range(images)],
        annotations=[dict(dict(id=i + 1, category_id=0, iscrowd=0), **row)
                     for i, row in enumerate(rows)], categories=[dict(id=0, name='object')]))
    (root / 'names.txt').write_text('\n'.join([f'thing {i}' for i in range(50)] + ['A dog', 'A dog']))


def phrases(root, size=20, supervision=('semantic', 'box'), **kwargs):
    return PhraseDataset(
        data_root=str(root), ann_file='train.json', data_prefix=dict(img='images/'), pipeline=[
            dict(type='LoadImage'),
            dict(type='AddNegativeNames', names_file=f'{root}/names.txt', vocabulary_size=size),
            dict(type='LoadInstances', with_mask=False), dict(type='FilterObjects'),
            dict(type='SetSource', source='vg', supervision=supervision, label_table='vg',
                 vocabulary_size=size),
            dict(type='PackGLEEInputs')], **kwargs)


ROWS = [dict(image_id=1, bbox=[1, 2, 10, 20], object_name='A dog'),
        dict(image_id=1, bbox=[20, 2, 10, 20], caption='the red bus!', object_name='bus'),
        dict(image_id=1, bbox=[30, 2, 10, 20], object_name='A dog'),
        dict(image_id=2, bbox=[5, 5, 5, 5], caption='cat', caption_with_token='<p>cat</p>')]


def test_each_object_brings_its_phrase(tmp_path):
    write_phrases(tmp_path, ROWS)
    dataset = phrases(tmp_path)
    first, second = dataset.get_data_info(0), dataset.get_data_info(1)
    assert first['text'] == ['A dog', 'bus'] and second['text'] == ['<p>cat</p>']
    assert [i['bbox_label'] for i in first['instances']] == [0, 1, 0]
    assert [i['bbox'] for i in first['instances']][1] == [20, 2, 30, 22]
    captions = phrases(tmp_path, phrase_keys=('caption', ))
    assert [captions.get_data_info(i)['text'] for i in range(2)] == [['the red bus!'], ['cat']]


def test_negatives_fill_the_text_and_the_labels_follow(tmp_path):
    write_phrases(tmp_path, ROWS)
    dataset = phrases(tmp_path)
    np.random.seed(0)
    orders = set()
    for _ in range(20):
        sample = dataset[0]['data_samples']
        assert len(sample.text) == len(set(sample.text)) == 20
        assert [sample.text[i] for i in sample.gt_instances.labels] == ['A dog', 'bus', 'A dog']
        orders.add(sample.text.index('bus'))
    assert len(orders) > 5  # the place tells nothing
    assert len(phrases(tmp_path, size=1)[0]['data_samples'].text) == 2  # its own names all stay
    assert len(phrases(tmp_path, size=900)[0]['data_samples'].text) == 52  # 50 things, dog, bus
    with pytest.raises(FileNotFoundError, match='visual_genome_names.py'):
        AddNegativeNames('nowhere.txt')(dict(text=['a'], instances=[]))


def test_a_batch_of_phrases_shares_one_shuffled_vocabulary(tmp_path):
    write_phrases(tmp_path, ROWS)
    dataset = phrases(tmp_path)
    torch.manual_seed(0)
    np.random.seed(1)
    for _ in range(5):
        packed = [dataset[i] for i in (0, 1)]
        out = GLEEDataPreprocessor()(dict(inputs=[p['inputs'] for p in packed],
                                          data_samples=[p['data_samples'] for p in packed]), True)
        first, second = out['data_samples']
        assert first.text == second.text and len(set(first.text)) == len(first.text) == 20
        assert [first.text[i] for i in first.gt_instances.labels] == ['A dog', 'bus', 'A dog']
        assert [second.text[i] for i in second.gt_instances.labels] == ['<p>cat</p>']


def test_broken_phrases_are_counted(tmp_path):
    write_phrases(tmp_path, [*ROWS, dict(image_id=1, caption='no box'),
                             dict(image_id=1, bbox=[1, 1, 5, 5]),
                             dict(image_id=2, bbox=[1, 1, 0, 5], caption='flat'),
                             dict(image_id=2, bbox=[1, 1, 9, 5], caption='crowd', iscrowd=1)])
    with captured_log() as messages:
        dataset = phrases(tmp_path)
    summary, = [m for m in messages if 'left out' in m]
    for part in ('3 unusable', 'phrase without a box: 1', 'box without a phrase: 1',
                 'box of zero area: 1'):
        assert part in summary
    assert [len(dataset.get_data_info(i)['instances']) for i in range(2)] == [3, 1]


# ---- videos ----

def write_videos(root, **change):
    names = [[f'a/{t}.jpg' for t in range(3)], ['b/0.jpg']]
    for i, name in enumerate(sum(names, [])):
        save_image(root / 'JPEGImages' / name, WIDTH, HEIGHT, seed=i)
    tracks = [
        dict(id=7, video_id=1, category_id=2, iscrowd=0, areas=[1, None, 1],
             bboxes=[[1, 1, 10, 10], None, [5, 5, 20, 20]],
             segmentations=[compressed(1, 1, 10, 10), None, uncompressed(5, 5, 20, 20)]),
        dict(id=8, video_id=1, category_id=5, segmentations=[None, compressed(3, 4, 6, 8), None]),
        dict(id=9, video_id=2, category_id=5, bboxes=[[2, 2, 4, 4]],
             segmentations=[rectangle(2, 2, 4, 4)])]
    write_json(root / 'train.json', dict(dict(
        videos=[dict(id=i + 1, file_names=names[i], width=WIDTH, height=HEIGHT, length=len(names[i]))
                for i in range(2)],
        annotations=tracks, categories=[dict(id=2, name='giant panda'), dict(id=5, name='ring')]),
        **change))


def videos(root, steps=('LoadInstances', 'RasterizeMasks'), **kwargs):
    return VideoFramesDataset(
        data_root=str(root), ann_file='train.json', data_prefix=dict(img='JPEGImages/'), pipeline=[
            dict(type='LoadImage'), *(dict(type=s) for s in steps), dict(type='FilterObjects'),
            dict(type='SetSource', source='ytvis19'), dict(type='PackGLEEInputs')], **kwargs)


def test_every_frame_of_a_video_is_an_image(tmp_path):
    write_videos(tmp_path)
    dataset = videos(tmp_path, vocabulary='ytvis_2019')
    assert len(dataset) == 4
    infos = [dataset.get_data_info(i) for i in range(4)]
    assert [(i['video_id'], i['frame_id'], i['img_id']) for i in infos] == [
        (1, 0, 0), (1, 1, 1), (1, 2, 2), (2, 0, 3)]
    assert [[o['instance_id'] for o in i['instances']] for i in infos] == [[7], [8], [7], [9]]
    samples = [dataset[i]['data_samples'] for i in range(4)]
    assert samples[0].text == ('giant_panda', 'ring')
    assert [s.gt_instances.labels.tolist() for s in samples] == [[0], [1], [0], [1]]
    assert [s.gt_instances.bboxes.tensor.tolist() for s in samples] == [
        [[1, 1, 11, 11]], [[3, 4, 9, 12]], [[5, 5, 25, 25]], [[2, 2, 6, 6]]]
    for sample, (x, y, w, h) in zip(samples, (
            (1, 1, 10, 10), (3, 4, 6, 8), (5, 5, 20, 20), (2, 2, 4, 4)), strict=True):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[y:y + h, x:x + w] = 1
        assert (sample.gt_instances.masks.masks[0] == mask).all()
    kept = videos(tmp_path, metainfo=dict(classes=('ring', )), filter_cfg=dict(filter_empty_gt=True))
    assert [kept.get_data_info(i)['img_id'] for i in range(len(kept))] == [1, 3]


def test_broken_tracks_are_counted(tmp_path):
    write_videos(tmp_path)

    def change(content):
        first, second, third = content['annotations']
        first['segmentations'][0] = dict(size=[HEIGHT, WIDTH], counts=[HEIGHT * WIDTH])
        second['segmentations'][1] = dict(size=[HEIGHT, WIDTH], counts=[HEIGHT * WIDTH])
        third['bboxes'].append(None)
        content['videos'].append(dict(id=3, width=4, height=4, file_names=[]))

    edit_json(tmp_path / 'train.json', change)
    (tmp_path / 'JPEGImages/b/0.jpg').unlink()
    with captured_log() as messages:
        dataset = videos(tmp_path)
    summary, = [m for m in messages if 'left out' in m]
    for part in ('5 unusable', 'empty RLE: 2', 'track longer than its video: 1',
                 'video without file_names: 1', 'missing file: 1'):
        assert part in summary, summary
    assert [len(dataset.get_data_info(i)['instances']) for i in range(len(dataset))] == [0, 0, 1]


def test_box_tracks_have_no_masks(tmp_path):
    write_videos(tmp_path)
    edit_json(tmp_path / 'train.json', lambda c: (
        [a.pop('segmentations') for a in c['annotations']], c['annotations'].pop(1)))
    dataset = VideoFramesDataset(
        data_root=str(tmp_path), ann_file='train.json', data_prefix=dict(img='JPEGImages/'),
        masks='ignored', pipeline=[])
    assert [len(dataset.get_data_info(i)['instances']) for i in range(4)] == [1, 0, 1, 1]


# ---- SA-1B ----

BOXES = [(1, 1, 10, 10), (20, 5, 30, 30), (40, 30, 8, 8)]


def write_sa1b(root):
    save_image(root / 'images/sa_1.jpg', WIDTH, HEIGHT)
    write_json(root / 'images/sa_1.json', dict(
        image=dict(image_id=1), annotations=[
            dict(id=50 + i, bbox=list(box), segmentation=compressed(*box))
            for i, box in enumerate(BOXES)]))
    write_json(root / 'index.json', dict(
        images=[dict(id=1, file_name='sa_1.jpg', width=WIDTH, height=HEIGHT)],
        annotations=[dict(id=i + 1, image_id=1, category_id=1, bbox=list(box), iscrowd=0)
                     for i, box in enumerate(BOXES)], categories=[dict(id=1, name='thing')]))


def sa1b(root, skip=False, **kwargs):
    return SA1BDataset(
        data_root=str(root), ann_file='index.json', data_prefix=dict(img='images/'),
        prompts='sa1b', max_refetch=2, pipeline=[
            dict(type='LoadImage'), dict(type='LoadSA1BMasks', skip_unreadable=skip),
            dict(type='LoadInstances'), dict(type='RasterizeMasks'), dict(type='FilterObjects'),
            dict(type='SetSource', source='sa1b', label_table='object'),
            dict(type='PackGLEEInputs')], **kwargs)


def test_masks_of_sa1b_come_from_the_file_beside_the_picture(tmp_path):
    write_sa1b(tmp_path)
    # a broken box leaves the others with their own masks
    edit_json(tmp_path / 'index.json', lambda c: c['annotations'][0].update(bbox=[1, 1, 0, 10]))
    sample = sa1b(tmp_path)[0]['data_samples']
    assert sample.text == ('object', ) and sample.gt_instances.labels.tolist() == [0, 0]
    masks = sample.gt_instances.masks.masks
    for mask, (x, y, w, h) in zip(masks, BOXES[1:], strict=True):
        assert mask.sum() == w * h and mask[y:y + h, x:x + w].all()


@pytest.mark.parametrize('change, reason', [
    (lambda c: c['annotations'].pop(), 'holds 2 masks, the index 3'),
    (lambda c: c['annotations'].reverse(), 'another box'),
    (lambda c: c['annotations'][1].pop('segmentation'), 'row 1 of `annotations`, id 51: no mask')])
def test_masks_that_do_not_fit_the_index_are_refused(tmp_path, change, reason):
    write_sa1b(tmp_path)
    edit_json(tmp_path / 'images/sa_1.json', change)
    with pytest.raises(ValueError, match=f'sa_1.json.*{reason}'):
        sa1b(tmp_path)[0]
    dataset = sa1b(tmp_path, skip=True)
    with captured_log() as messages, pytest.raises(Exception, match='Cannot find valid image'):
        dataset[0]
    assert sum('sa_1.json' in m for m in messages) == dataset.pipeline.transforms[1].skipped.value == 3
    (tmp_path / 'images/sa_1.json').unlink()
    with pytest.raises(ValueError, match='sa_1.json: .*No such file'):
        sa1b(tmp_path)[0]


def test_the_new_readers_are_registered():
    for cls in (PhraseDataset, VideoFramesDataset, SA1BDataset):
        assert DATASETS.get(cls.__name__) is cls


def test_the_list_of_names_comes_from_the_annotation_files(tmp_path):
    write_phrases(tmp_path, [*ROWS, dict(image_id=2, bbox=[1, 1, 2, 2], object_name='été 犬')])
    counts = count_phrases([tmp_path / 'train.json'])
    assert counts == {'A dog': 2, 'bus': 1, '<p>cat</p>': 1, 'été 犬': 1}
    assert write_names(counts, tmp_path / 'out/names.txt') == 4
    assert read_names(str(tmp_path / 'out/names.txt')) == ('A dog', '<p>cat</p>', 'bus', 'été 犬')
    assert write_names(counts, tmp_path / 'frequent.txt', min_count=2) == 1
    with pytest.raises(ValueError, match='3 times'):
        write_names(counts, tmp_path / 'none.txt', min_count=3)

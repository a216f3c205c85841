"""Conversions, on tiny files with results worked out by hand."""
import csv
import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as mask_utils

from projects.glee.datasets.conversion import (
    ConversionError,
    convert_bdd_images,
    convert_bdd_tracks,
    convert_grit,
    convert_openimages,
    convert_png_videos,
    convert_ref_youtube_vos,
    convert_referring_videos,
    convert_sa1b,
    convert_shards,
    convert_videos,
    merge_refcoco,
    thin_masks,
)
from projects.glee.datasets.conversion.bdd import flatten_ring
from projects.glee.datasets.conversion.shards import Shard


def read(path):
    return json.loads(path.read_text())


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def picture(path, width, height):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (width, height)).save(path)


def rle(mask):
    encoded = mask_utils.encode(np.asfortranarray(mask, np.uint8))
    return {'size': list(mask.shape), 'counts': encoded['counts'].decode()}


def rectangle(x, y, width, height, shape=(20, 30)):
    mask = np.zeros(shape, bool)
    mask[y:y + height, x:x + width] = True
    return mask


# Shards


def two_images(shard):
    part = Shard()
    for number in shard:
        if number < 0:
            part.skipped['negative'] += 1
        else:
            part.add({'file_name': f'{number}.jpg'}, [{'value': number}] * (number % 3))
    return part


def test_shards_are_numbered_through_and_their_parts_removed(tmp_path):
    out = tmp_path / 'o.json'
    skipped = convert_shards(out, [[4, 2], [-1], [], [5]], two_images, {'categories': []})
    content = read(out)
    assert content['images'] == [{'file_name': '4.jpg', 'id': 1}, {'file_name': '2.jpg', 'id': 2},
                                 {'file_name': '5.jpg', 'id': 3}]
    assert [(entry['id'], entry['image_id'], entry['value']) for entry in content['annotations']] == [
        (1, 1, 4), (2, 2, 2), (3, 2, 2), (4, 3, 5), (5, 3, 5)]
    assert skipped == {'negative': 1} and [path.name for path in tmp_path.iterdir()] == ['o.json']


def test_a_stopped_conversion_goes_on_and_gives_the_same_bytes(tmp_path):
    done = []

    def stop_at_five(shard):
        if 5 in shard and not done.count(5):
            done.append(5)
            raise KeyboardInterrupt
        done.append(shard[0])
        return two_images(shard)

    shards, out = [[1], [2], [5], [7]], tmp_path / 'o.json'
    with pytest.raises(KeyboardInterrupt):
        convert_shards(out, shards, stop_at_five, {'categories': []}, arguments={'a': 1})
    assert not out.exists() and done == [1, 2, 5]
    with pytest.raises(ConversionError, match='other arguments'):
        convert_shards(out, shards, stop_at_five, {'categories': []}, arguments={'a': 2})
    convert_shards(out, shards, stop_at_five, {'categories': []}, arguments={'a': 1})
    assert done == [1, 2, 5, 5, 7]  # 1 and 2 are not done again
    convert_shards(tmp_path / 'fresh.json', shards, two_images, {'categories': []})
    assert out.read_bytes() == (tmp_path / 'fresh.json').read_bytes()


def test_workers_write_the_same_bytes(tmp_path):
    shards = [[1, 2], [-5], [5], [7, 8, 9]]
    for workers in (0, 2):
        skipped = convert_shards(tmp_path / f'{workers}.json', shards, two_images, {}, workers=workers)
        assert skipped == {'negative': 1}
    assert (tmp_path / '0.json').read_bytes() == (tmp_path / '2.json').read_bytes()


# Videos as images


def test_frames_become_images(tmp_path):
    counts = {'size': [2, 2], 'counts': [1, 2, 1]}
    source = write(tmp_path / 'v.json', {
        'categories': [{'id': 3, 'name': 'cat'}],
        'videos': [{'id': 7, 'file_names': ['a/0.jpg', 'a/5.jpg'], 'width': 2, 'height': 2, 'length': 2},
                   {'id': 9, 'file_names': ['b/0.jpg'], 'width': 4, 'height': 2, 'length': 1}],
        'annotations': [
            {'id': 11, 'video_id': 7, 'category_id': 3, 'iscrowd': 0, 'bboxes': [[0, 0, 2, 2], None],
             'areas': [2, None], 'segmentations': [counts, None]},
            {'id': 12, 'video_id': 7, 'category_id': 3, 'iscrowd': 1, 'bboxes': [[0, 0, 0, 2], [1, 0, 1, 2]],
             'areas': [0, 2], 'segmentations': [counts, counts]},
            {'id': 13, 'video_id': 9, 'category_id': 3, 'bboxes': [[0, 0, 3, 2]]},
            {'id': 14, 'video_id': 9, 'category_id': 3, 'bboxes': [[0, 0, 3, 2], None]}]})
    skipped = convert_videos(source, tmp_path / 'o.json')
    content = read(tmp_path / 'o.json')
    assert [(i['id'], i['file_name'], i['width'], i['video_id'], i['frame_id']) for i in content['images']] == [
        (1, 'a/0.jpg', 2, 7, 0), (2, 'a/5.jpg', 2, 7, 1), (3, 'b/0.jpg', 4, 9, 0)]
    assert content['annotations'] == [
        {'id': 1, 'image_id': 1, 'category_id': 3, 'bbox': [0, 0, 2, 2], 'iscrowd': 0, 'instance_id': 11, 'area': 2,
         'segmentation': counts},
        {'id': 2, 'image_id': 2, 'category_id': 3, 'bbox': [1, 0, 1, 2], 'iscrowd': 1, 'instance_id': 12, 'area': 2,
         'segmentation': counts},
        {'id': 3, 'image_id': 3, 'category_id': 3, 'bbox': [0, 0, 3, 2], 'iscrowd': 0, 'instance_id': 13, 'area': 6}]
    assert skipped == {'box without area': 1, 'track of another length than its video': 1}
    with pytest.raises(ConversionError, match='videos'):
        convert_videos(write(tmp_path / 'w.json', {'images': []}), tmp_path / 'p.json')


# Referring


def test_sentences_about_one_object_share_an_entry(tmp_path):
    masks = [rle(rectangle(1, 2, 3, 4)), None]
    videos = [dict(file_names=['a/0.jpg', 'a/5.jpg'], width=30, height=20, video='a', obj_id=obj, id=index,
                   expressions=[text], exp_id=str(index))
              for index, (obj, text) in enumerate([(1, 'the cat'), (2, 'the dog'), (1, 'the left one')], 1)]
    tracks = [{'id': index, 'video_id': index, 'category_id': 1, 'segmentations': masks, 'bboxes': [[1, 2, 3, 4], None],
               'areas': [12, None]} for index in (1, 3)]
    source = write(tmp_path / 't.json', {'videos': videos, 'annotations': tracks, 'categories': []})
    skipped = convert_referring_videos(source, tmp_path / 'o.json')
    content = read(tmp_path / 'o.json')
    assert [(i['id'], i['file_name'], i['expressions']) for i in content['images']] == [
        (1, 'a/0.jpg', ['the cat', 'the left one'])]
    assert content['annotations'] == [{'id': 1, 'image_id': 1, 'category_id': 1, 'segmentation': masks[0],
                                       'bbox': [1, 2, 3, 4], 'area': 12, 'iscrowd': 0}]
    assert skipped == {'expression without an annotation': 1, 'frame without the object': 1}


def referring_file(path, coco_ids, names=False):
    images = [{'id': 10 + k, 'original_id': coco_id, 'expressions': [f'{path.parent.name} {coco_id}']}
              for k, coco_id in enumerate(coco_ids)]
    if names:
        images = [{'id': image['id'], 'file_name': f'COCO_train2014_{image["original_id"]:012d}.jpg',
                   'expressions': image['expressions']} for image in images]
    return write(path, {'images': images, 'categories': [{'id': 1, 'name': 'object'}],
                        'annotations': [{'id': 50 + k, 'image_id': 10 + k, 'mark': coco_id}
                                        for k, coco_id in enumerate(coco_ids)]})


def test_no_image_of_any_held_out_split_is_in_the_mixed_set(tmp_path):
    train = [referring_file(tmp_path / f'{name}/train.json', ids, names=name == 'g')
             for name, ids in (('c', [1, 2, 3]), ('plus', [1, 4]), ('g', [2, 5, 6]))]
    held_out = [referring_file(tmp_path / f'{name}/val.json', ids, names=name == 'c')
                for name, ids in (('c', [5]), ('plus', [7]), ('g', [1]))]
    counts = merge_refcoco(train, held_out, tmp_path / 'o.json')
    content = read(tmp_path / 'o.json')
    assert [image['expressions'] for image in content['images']] == [['c 2'], ['c 3'], ['plus 4'], ['g 2'], ['g 6']]
    assert [(entry['id'], entry['image_id'], entry['mark']) for entry in content['annotations']] == [
        (1, 1, 2), (2, 2, 3), (3, 3, 4), (4, 4, 2), (5, 5, 6)]
    assert counts['kept'] == 5 and sum(counts.values()) - 5 == 3
    with pytest.raises(ConversionError, match='original_id'):
        merge_refcoco(train, [write(tmp_path / 'x.json', {'images': [{'id': 1, 'file_name': 'x.jpg'}]})], 'o.json')
    with pytest.raises(ConversionError, match='held-out'):
        merge_refcoco(train, [], 'o.json')


# SA-1B


def brute_force_thinning(masks, threshold):
    kept = []
    for index in sorted(range(len(masks)), key=lambda i: -masks[i].sum()):
        ratios = [(masks[index] & masks[k]).sum() / min((masks[index] | masks[k]).sum(), masks[index].sum(),
                                                        masks[k].sum()) for k in kept]
        if all(ratio <= threshold for ratio in ratios):
            kept.append(index)
    return sorted(kept)


def test_thinning_agrees_with_brute_force():
    rng = np.random.default_rng(0)
    removed = 0
    for _ in range(60):
        masks = [rectangle(*rng.integers(0, 18, 2), *rng.integers(1, 12, 2)) for _ in range(12)]
        masks = [mask for mask in masks if mask.any()]
        threshold = float(rng.choice([0.3, 0.5, 0.7]))
        kept = thin_masks([rle(mask) for mask in masks], threshold)
        assert kept == brute_force_thinning(masks, threshold)
        removed += len(masks) - len(kept)
    assert removed > 100 and thin_masks([]) == []


def test_exactly_half_a_mask_stays():
    whole, half = rectangle(0, 0, 4, 4), rectangle(2, 0, 4, 4)
    assert thin_masks([rle(half), rle(whole)]) == [0, 1]
    assert thin_masks([rle(half), rle(whole)], 0.49) == [0]  # of equal areas the first stays


def sa1b_annotation(mask, box=None, **keys):
    return dict({'id': 1, 'segmentation': rle(mask), 'area': int(mask.sum()),
                 'bbox': box or mask_utils.toBbox(rle(mask)).tolist()}, **keys)


def test_sa1b_index_and_thinned_files(tmp_path):
    whole, part, other = rectangle(0, 0, 10, 10), rectangle(2, 2, 4, 4), rectangle(15, 5, 6, 6)
    image = {'image_id': 2, 'width': 30, 'height': 20, 'file_name': 'sa_2.jpg'}
    write(tmp_path / 'raw/sa_10.json', {'image': dict(image, file_name='sa_10.jpg'),
                                        'annotations': [sa1b_annotation(other)]})
    write(tmp_path / 'raw/sa_2.json', {'image': image, 'annotations': [
        sa1b_annotation(part, id=5), sa1b_annotation(whole, id=6), sa1b_annotation(other, id=7),
        sa1b_annotation(np.zeros((20, 30), bool), [0, 0, 1, 1]), sa1b_annotation(rectangle(0, 0, 2, 2, (9, 9))),
        sa1b_annotation(rectangle(25, 1, 3, 3), [25, 1, 0, 3])]})
    (tmp_path / 'raw/sa_3.json').write_text('{"image":')
    skipped = convert_sa1b(tmp_path / 'raw', tmp_path / 'thin', tmp_path / 'index.json')
    index = read(tmp_path / 'index.json')
    assert [(i['id'], i['file_name'], i['width'], i['height']) for i in index['images']] == [
        (1, 'sa_2.jpg', 30, 20), (2, 'sa_10.jpg', 30, 20)]
    assert [(a['image_id'], a['bbox'], a['area']) for a in index['annotations']] == [
        (1, [0, 0, 10, 10], 100), (1, [15, 5, 6, 6], 36), (2, [15, 5, 6, 6], 36)]
    assert [a['id'] for a in read(tmp_path / 'thin/sa_2.json')['annotations']] == [6, 7]
    assert skipped == {'part of a larger mask': 1, 'empty mask': 1, 'mask of another size than the image': 1,
                       'box without area': 1, 'JSON without image and annotations': 1}
    with pytest.raises(ConversionError, match='overwritten'):
        convert_sa1b(tmp_path / 'raw', tmp_path / 'raw', tmp_path / 'index.json')


# OpenImages


def test_openimages_rows_become_boxes(tmp_path):
    picture(tmp_path / 'images/train_0/0a.jpg', 200, 100)
    picture(tmp_path / 'images/train_f/ff.jpg', 40, 80)
    (tmp_path / 'names.csv').write_text('/m/02,Cat\n/m/01,"Dog, big"\n')
    rows = [('0a', '/m/01', 0.1, 0.6, 0.25, 0.75, 0), ('0a', '/m/02', 0, 1, 0, 1, 1), ('0a', '/m/09', 0, 1, 0, 1, 0),
            ('0a', '/m/02', 0.5, 0.5, 0, 1, 0), ('bb', '/m/02', 0, 1, 0, 1, 0), ('ff', '/m/02', 0.25, 0.5, 0.5, 1, 0)]
    header = ('ImageID', 'LabelName', 'XMin', 'XMax', 'YMin', 'YMax', 'IsGroupOf')

    def table(name, rows, header=header):
        with open(tmp_path / name, 'w', newline='') as file:
            csv.writer(file).writerows([header, *rows])
        return tmp_path / name

    arguments = (tmp_path / 'names.csv', tmp_path / 'images', tmp_path / 'o.json', 'train_{first}/{id}.jpg')
    skipped = convert_openimages(table('b.csv', rows), *arguments)
    content = read(tmp_path / 'o.json')
    assert [(c['id'], c['name']) for c in content['categories']] == [(1, 'Cat'), (2, 'Dog, big')]
    assert content['images'] == [{'file_name': 'train_0/0a.jpg', 'width': 200, 'height': 100, 'id': 1},
                                 {'file_name': 'train_f/ff.jpg', 'width': 40, 'height': 80, 'id': 2}]
    assert [(a['image_id'], a['category_id'], a['bbox'], a['area'], a['iscrowd']) for a in content['annotations']] == [
        (1, 2, [20, 25, 100, 50], 5000, 0), (1, 1, [0, 0, 200, 100], 20000, 1), (2, 1, [10, 40, 10, 40], 400, 0)]
    assert skipped == {'label without a name': 1, 'box without area': 1, 'image missing or unreadable': 1}
    with pytest.raises(ConversionError, match='0a do not follow'):
        convert_openimages(table('c.csv', [rows[0], rows[5], rows[1]]), *arguments[:2], tmp_path / 'p.json')
    with pytest.raises(ConversionError, match='IsGroupOf'):
        convert_openimages(table('d.csv', [], header[:-1]), *arguments[:2], tmp_path / 'q.json')


# GRIT

GRIT_ROWS = [
    {'key': '000000000', 'status': 'success', 'caption': 'a dog and a red ball', 'width': 200, 'height': 100,
     'noun_chunks': [[2, 5, 0.1, 0.2, 0.5, 1.2, 0.9], [10, 20, 0.5, 0.5, 0.75, 1.0, 0.3],
                     [2, 5, 0.5, 0.5, 0.5, 1, 0.9]],
     'ref_exps': [[0, 20, 0.0, 0.0, 1.0, 1.0, 0.8]]},
    {'key': '000000001', 'status': 'failed_to_download', 'caption': 'x', 'width': 2, 'height': 2,
     'noun_chunks': [], 'ref_exps': []},
    {'key': '000000002', 'status': 'success', 'caption': None, 'width': 2, 'height': 2, 'noun_chunks': [],
     'ref_exps': []},
]


def grit_folder(root):
    for row in GRIT_ROWS:
        write(root / f'00000/{row["key"]}.json', row)
    return root


def grit_tar(root):
    root.mkdir()
    with tarfile.open(root / '00000.tar', 'w') as archive:
        for row in GRIT_ROWS:
            data = json.dumps(row).encode()
            member = tarfile.TarInfo(f'{row["key"]}.json')
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return root


def grit_parquet(root):
    pyarrow = pytest.importorskip('pyarrow')
    from pyarrow import parquet
    root.mkdir()
    parquet.write_table(pyarrow.Table.from_pylist(GRIT_ROWS), root / '00000.parquet')
    return root


@pytest.mark.parametrize('make', [grit_folder, grit_tar, grit_parquet])
def test_grit_phrases_become_annotations(tmp_path, make):
    source = make(tmp_path / 'source')
    skipped = convert_grit(source, tmp_path / 'o.json', min_score=0.25)
    content = read(tmp_path / 'o.json')
    assert content['images'] == [{'file_name': '00000/000000000.jpg', 'width': 200, 'height': 100,
                                  'caption': 'a dog and a red ball', 'id': 1}]
    assert [(a['caption'], a['bbox'], a['score'], a['category_id']) for a in content['annotations']] == [
        ('dog', [20, 20, 80, 80], 0.9, 0), ('a red ball', [100, 50, 50, 50], 0.3, 0)]
    assert skipped == {'box without area': 1, 'image that was not downloaded': 1,
                       'row without key, caption or size': 1}
    convert_grit(source, tmp_path / 'p.json', ('noun_chunks', 'ref_exps'), 0.5, '{key}.png')
    content = read(tmp_path / 'p.json')
    assert [a['caption'] for a in content['annotations']] == ['dog', 'a dog and a red ball']
    assert content['images'][0]['file_name'] == '000000000.png'


def test_grit_without_shards_or_with_unknown_phrases_is_refused(tmp_path):
    with pytest.raises(ConversionError, match='parquet'):
        convert_grit(tmp_path, tmp_path / 'o.json')
    with pytest.raises(ConversionError, match='verbs'):
        convert_grit(tmp_path, tmp_path / 'o.json', ('verbs', ))


# BDD


def bdd_box(category, x1, y1, x2, y2, **keys):
    return dict({'id': '1', 'category': category, 'box2d': {'x1': x1, 'y1': y1, 'x2': x2, 'y2': y2}}, **keys)


def test_bdd_boxes_include_their_last_pixel(tmp_path):
    labels = [bdd_box('car', 10, 20, 19, 24), bdd_box('person', 0, 0, 1, 1),
              bdd_box('other vehicle', 5, 5, 6, 6), bdd_box('rider', 5, 5, 6, 6, attributes={'Crowd': True}),
              bdd_box('cow', 0, 0, 1, 1), bdd_box('bus', 9, 9, 7, 9), {'id': '2', 'category': 'bus'}]
    source = write(tmp_path / 'l.json', [{'name': 'a.jpg', 'labels': labels}, {'name': 'b.jpg', 'labels': None}])
    skipped = convert_bdd_images(source, tmp_path / 'o.json')
    content = read(tmp_path / 'o.json')
    assert [(i['file_name'], i['width'], i['height']) for i in content['images']] == [
        ('a.jpg', 1280, 720), ('b.jpg', 1280, 720)]
    assert [c['name'] for c in content['categories']][:3] == ['pedestrian', 'rider', 'car']
    assert [(a['category_id'], a['bbox'], a['area'], a['iscrowd']) for a in content['annotations']] == [
        (3, [10, 20, 10, 5], 50, 0), (1, [0, 0, 2, 2], 4, 0), (3, [5, 5, 2, 2], 4, 1), (2, [5, 5, 2, 2], 4, 1)]
    assert skipped == {"category 'cow'": 1, 'box without area': 1, 'label without box2d': 1}
    with pytest.raises(ConversionError, match='no list of frames'):
        convert_bdd_images(write(tmp_path / 'x.json', {'images': []}), tmp_path / 'p.json')


def test_bdd_polygons(tmp_path):
    square = {'vertices': [[10, 10], [20, 10], [20, 30], [10, 30]], 'types': 'LLLL', 'closed': True}
    labels = [{'id': '1', 'category': 'bike', 'poly2d': [square, {'vertices': [[0, 0], [1, 1]], 'types': 'LL'}]},
              {'id': '2', 'category': 'car', 'poly2d': [{'vertices': [[0, 0], [9, 9]], 'types': 'LL'}]}]
    source = write(tmp_path / 'l.json', {'config': {'imageSize': {'width': 64, 'height': 48}},
                                         'frames': [{'name': 'a.jpg', 'labels': labels}]})
    skipped = convert_bdd_images(source, tmp_path / 'o.json', masks=True)
    content = read(tmp_path / 'o.json')
    assert content['annotations'] == [{'id': 1, 'image_id': 1, 'category_id': 8, 'iscrowd': 0, 'area': 200,
                                       'bbox': [10, 10, 10, 20], 'segmentation': [[10, 10, 20, 10, 20, 30, 10, 30]]}]
    assert content['images'][0]['width'] == 64 and skipped == {'mask without area': 1}


def test_bdd_curves():
    ring = flatten_ring([[0, 0], [0, 4], [8, 4], [8, 0]], 'LCCC')
    assert ring.shape == (9, 2) and ring[0].tolist() == [0, 0] and ring[-1].tolist() == [8, 0]
    assert ring[4].tolist() == [4, 3]  # B(1/2) = (p0 + 3 p1 + 3 p2 + p3) / 8
    closed = flatten_ring([[0, 0], [8, 0], [8, 4], [0, 4]], 'LLCC')
    assert closed[-1].tolist() == [0, 0]  # a curve that ends where the ring began


@pytest.mark.parametrize('masks', [False, True])
def test_bdd_tracks(tmp_path, masks):
    def label(identity, x, crowd=False):
        corners = [[x, 10], [x + 10, 10], [x + 10, 20], [x, 20]]
        return {'id': identity, 'category': 'truck', 'attributes': {'crowd': crowd},
                'box2d': {'x1': x, 'y1': 10, 'x2': x + 9, 'y2': 19}, 'poly2d': [{'vertices': corners, 'types': 'LLLL'}]}

    frames = [{'name': 'v-2.jpg', 'videoName': 'v', 'frameIndex': 1, 'labels': [label('b', 30), label('a', 12)]},
              {'name': 'v-1.jpg', 'videoName': 'v', 'frameIndex': 0, 'labels': [label('a', 10, True)]}]
    write(tmp_path / 'labels/v.json', frames)
    write(tmp_path / 'labels/w.json', [{'name': 'w-1.jpg', 'videoName': 'w', 'frameIndex': 0, 'labels': []}])
    convert_bdd_tracks(tmp_path / 'labels', tmp_path / 'o.json', masks=masks)
    content = read(tmp_path / 'o.json')
    assert [(v['id'], v['file_names'], v['length']) for v in content['videos']] == [
        (1, ['v/v-1.jpg', 'v/v-2.jpg'], 2), (2, ['w/w-1.jpg'], 1)]
    tracks = content['annotations']
    assert [(t['id'], t['video_id'], t['category_id'], t['iscrowd']) for t in tracks] == [(1, 1, 4, 1), (2, 1, 4, 0)]
    assert [t['bboxes'] for t in tracks] == [[[10, 10, 10, 10], [12, 10, 10, 10]], [None, [30, 10, 10, 10]]]
    assert [t['areas'] for t in tracks] == [[100, 100], [None, 100]]
    if masks:
        assert (mask_utils.decode(tracks[1]['segmentations'][1]) == rectangle(30, 10, 10, 10, (720, 1280))).all()
        assert tracks[1]['segmentations'][0] is None
    else:
        assert 'segmentations' not in tracks[0]


# PNG files


@pytest.fixture
def png_tree(tmp_path):
    for frame in range(3):
        picture(tmp_path / f'images/v/{frame:05d}.jpg', 30, 20)
    picture(tmp_path / 'images/w/00000.jpg', 8, 8)
    for frame, boxes in ((0, {1: (2, 3, 5, 4)}), (2, {1: (4, 3, 5, 4), 3: (20, 10, 2, 2), 255: (0, 0, 30, 1)})):
        ids = np.zeros((20, 30), np.uint8)
        for number, box in boxes.items():
            ids[rectangle(*box)] = number
        path = tmp_path / f'masks/v/{frame:05d}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(ids)
        image.putpalette([0] * 768)
        image.save(path)
    (tmp_path / 'masks/gone').mkdir()
    (tmp_path / 'masks/w').mkdir()
    Image.new('L', (9, 9)).save(tmp_path / 'masks/w/00000.png')
    return tmp_path


def test_png_files_become_tracks(png_tree):
    skipped = convert_png_videos(png_tree / 'images', png_tree / 'masks', png_tree / 'o.json')
    content = read(png_tree / 'o.json')
    assert [(v['id'], v['file_names'][-1], v['length']) for v in content['videos']] == [
        (1, 'v/00002.jpg', 3), (2, 'w/00000.jpg', 1)]
    first, second = content['annotations']
    assert first['bboxes'] == [[2, 3, 5, 4], None, [4, 3, 5, 4]] and first['areas'] == [20, None, 20]
    assert second['bboxes'] == [None, None, [20, 10, 2, 2]] and (first['png_id'], second['png_id']) == (1, 3)
    assert (mask_utils.decode(first['segmentations'][2]) == rectangle(4, 3, 5, 4)).all()
    assert skipped == {'video without readable frames': 1,
                       'PNG of another size than its video, or with colours instead of ids': 1}


def test_ref_youtube_vos_sentences(png_tree):
    meta = write(png_tree / 'meta.json', {'videos': {'v': {'frames': ['00000', '00002'], 'expressions': {
        '0': {'exp': 'the cat', 'obj_id': '1'}, '1': {'exp': 'the dog', 'obj_id': '3'},
        '2': {'exp': 'nothing', 'obj_id': '2'}}}}})
    skipped = convert_ref_youtube_vos(meta, png_tree / 'images', png_tree / 'masks', png_tree / 'o.json')
    content = read(png_tree / 'o.json')
    assert [(v['id'], v['video'], v['expressions'], v['exp_id'], v['obj_id']) for v in content['videos']] == [
        (1, 'v', ['the cat'], '0', 1), (2, 'v', ['the dog'], '1', 3)]
    assert content['videos'][0]['file_names'] == ['v/00000.jpg', 'v/00002.jpg']
    assert [a['bboxes'] for a in content['annotations']] == [[[2, 3, 5, 4], [4, 3, 5, 4]], [None, [20, 10, 2, 2]]]
    assert skipped == {'sentence without masks': 1}

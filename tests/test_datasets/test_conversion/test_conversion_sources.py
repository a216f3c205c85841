"""Conversions of SA-1B, OpenImages, GRIT and BDD100K, on tiny files with results worked out by hand."""
import csv
import io
import json
import tarfile

import numpy as np
import pytest
from conversion_files import picture, read, rectangle, write
from pycocotools import mask as mask_utils
from rle import rle

from projects.glee.datasets.conversion import (
    ConversionError,
    convert_bdd_images,
    convert_bdd_tracks,
    convert_grit,
    convert_openimages,
    convert_sa1b,
    thin_masks,
)
from projects.glee.datasets.conversion.bdd import flatten_ring

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


def test_thinning_takes_hundreds_of_masks():
    """As many as a picture of SA-1B may have."""
    masks = [rle(rectangle(x, y, 1, 1)) for x in range(20) for y in range(15)]
    assert thin_masks(masks + masks[:5]) == list(range(300))


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
    assert skipped == {'part of a larger mask': 1, 'empty RLE': 1, 'RLE of another size than the image': 1,
                       'box of zero area': 1, 'JSON without image and annotations': 1}
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


@pytest.mark.parametrize('line, reason', [
    (',/m/02,0,1,0,1,0', 'row without ImageID'), ('bb,/m/02,0,1,0,1,0', 'image missing or unreadable'),
    ('0a,,0,1,0,1,0', 'label without a name'), ('0a,/m/02,x,1,0,1,0', 'box that is no number'),
    ('0a,/m/02,,1,0,1,0', 'box that is no number'), ('0a,/m/02', 'box that is no number'),
    ('0a,/m/02,0,nan,0,1,0', 'box that is no number'), ('0a,/m/02,0,1,0,1,x', 'IsGroupOf that is no number'),
    ('0a,/m/02,0,9e9,0,1,0', 'box that reaches far outside the image')])
def test_rows_of_openimages_that_cannot_be_used_are_named_with_their_line(tmp_path, line, reason):
    picture(tmp_path / '0a.jpg', 200, 100)
    (tmp_path / 'names.csv').write_text('/m/02,Cat\n', encoding='utf-8-sig')
    (tmp_path / 'b.csv').write_text(f'ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\n{line}\n', encoding='utf-8-sig')
    skipped = convert_openimages(tmp_path / 'b.csv', tmp_path / 'names.csv', tmp_path, tmp_path / 'o.json')
    assert skipped == {reason: 1}
    assert skipped.first[reason].endswith('bb.jpg' if 'missing' in reason else 'b.csv: line 2')


@pytest.mark.parametrize('names, message', [
    ('/m/02\n', 'names.csv, line 1: .* is no .machine id, name.'), ('/m/02, \n', 'names.csv, line 1: .* is no'),
    ('/m/02,Cat\n/m/02,Dog\n', 'line 2: .* is there twice'), ('', 'names.csv is empty')])
def test_names_of_openimages_that_cannot_be_used_are_refused(tmp_path, names, message):
    (tmp_path / 'names.csv').write_text(names)
    (tmp_path / 'b.csv').write_text('ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\n')
    with pytest.raises(ConversionError, match=message):
        convert_openimages(tmp_path / 'b.csv', tmp_path / 'names.csv', tmp_path, tmp_path / 'o.json')


def test_a_pattern_with_other_parts_is_refused(tmp_path):
    picture(tmp_path / '0a.jpg', 200, 100)
    (tmp_path / 'names.csv').write_text('/m/02,Cat\n')
    (tmp_path / 'b.csv').write_text('ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\n0a,/m/02,0,1,0,1,0\n')
    with pytest.raises(ConversionError, match="the file pattern '{name}.jpg' must be made of {id}, {first} and text"):
        convert_openimages(tmp_path / 'b.csv', tmp_path / 'names.csv', tmp_path, tmp_path / 'o.json', '{name}.jpg')


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

"""Conversions of videos and referring data sets, on tiny files with results worked out by hand."""
import numpy as np
import pytest
from conversion_files import picture, read, rectangle, write
from PIL import Image
from pycocotools import mask as mask_utils
from rle import rle

from projects.glee.datasets.conversion import (
    ConversionError,
    convert_png_videos,
    convert_ref_youtube_vos,
    convert_referring_videos,
    convert_shards,
    convert_videos,
    merge_refcoco,
)
from projects.glee.datasets.conversion.shards import Shard

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
         'segmentation': {'size': [2, 2], 'counts': '121'}},
        {'id': 2, 'image_id': 2, 'category_id': 3, 'bbox': [1, 0, 1, 2], 'iscrowd': 1, 'instance_id': 12, 'area': 2,
         'segmentation': {'size': [2, 2], 'counts': '121'}},
        {'id': 3, 'image_id': 3, 'category_id': 3, 'bbox': [0, 0, 3, 2], 'iscrowd': 0, 'instance_id': 13, 'area': 6}]
    assert skipped == {'box of zero area': 1, 'track longer than its video': 1}
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

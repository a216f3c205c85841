"""Streaming of annotation files and the store of items: equal to json.load, shared, rebuilt."""
import json
import multiprocessing
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
from image_files import edit_json, rectangle, save_image, write_coco
from logs import captured_log
from pipelines import category_pipeline

from projects.glee.datasets.image import TextCocoDataset
from projects.glee.datasets.store import json_groups
from projects.glee.datasets.store.json_groups import JsonGroups, iterate_rows

ANN = 'annotations/instances_train2017.json'
NAMES = ('star', 'ring')


def coco(root, cls=TextCocoDataset, **kwargs):
    kwargs.setdefault('pipeline', category_pipeline())
    return cls(data_root=str(root), ann_file=ANN, data_prefix=dict(img='train2017/'), **kwargs)


def items(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def random_content(rng):
    images = [dict(id=i * 7 % 101, file_name=f'{i}-äöü-\\"}}],[.jpg', width=9, height=8)
              for i in range(60)]
    annotations = [
        dict(id=1000 + i, image_id=rng.choice(images)['id'], bbox=[1.5, -2e-3, 1e3, 4],
             note=[None, True, {'deep': ['语', '\u2028', ']']}][i % 3]) for i in range(300)]
    rng.shuffle(annotations)
    return dict(info={'a': [1, 2]}, images=images, annotations=annotations,
                categories=[dict(id=1, name='Stern ☆')], version=12)


@pytest.mark.parametrize('chunk', [1, 7, 64, 1 << 20])
@pytest.mark.parametrize('order', ['images first', 'annotations first'])
def test_streamed_groups_equal_the_whole_file(tmp_path, monkeypatch, chunk, order):
    monkeypatch.setattr(json_groups, 'CHUNK', chunk)
    content = random_content(random.Random(chunk))
    if order == 'annotations first':
        content = dict(reversed(list(content.items())))
    for indent, ascii_only in ((None, True), (1, False)):
        path = tmp_path / 'a.json'
        path.write_text(json.dumps(content, indent=indent, ensure_ascii=ascii_only),
                        encoding='utf-8')
        groups = JsonGroups(str(path))
        assert len(groups) == 60
        expected = [(image, [a for a in content['annotations'] if a['image_id'] == image['id']])
                    for image in content['images']]
        assert list(groups) == expected
        assert groups.rest == {k: content[k] for k in ('info', 'categories', 'version')}
        assert not groups.broken.reasons and not groups.broken.notes and groups.own_ids


def test_ids_of_annotations_lose_no_row(tmp_path):
    path = tmp_path / 'a.json'
    content = dict(
        images=[dict(id='x', n=0), dict(id='y', n=1), dict(id='x', n=0)],
        annotations=[dict(id=5, image_id='y', n=0), dict(id=6, image_id='z', n=1),
                     dict(id=5, image_id='x', n=2), dict(image_id='x', n=3),
                     dict(image_id='x', n=4), dict(id=5, image_id='y', n=5), 7])
    path.write_text(json.dumps(content))
    groups = JsonGroups(str(path))
    assert [(image['n'], [row['n'] for row in rows]) for image, rows in groups] == [(0, [2, 3, 4]), (1, [0, 5])]
    assert [row.where for _, rows in groups for row in rows] == [
        'row 2 of `annotations`, id 5', 'row 3 of `annotations`', 'row 4 of `annotations`',
        'row 0 of `annotations`, id 5', 'row 5 of `annotations`, id 5']
    assert groups.broken.reasons == {
        'image that is there twice': [1, 'row 2 of `images`, id x'],
        'annotation of an unknown image': [1, 'row 1 of `annotations`'],
        'entry of `annotations` that is no row': [1, 'row 6 of `annotations`']}
    assert groups.broken.notes == {
        'annotation whose id was there before: numbered anew': [2, 'row 2 of `annotations`'],
        'annotation without an id: numbered': [2, 'row 3 of `annotations`']} and not groups.own_ids
    content['images'][2]['n'] = 2  # another picture: nobody knows which one an annotation means
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match='a.json: row 0 of `images`, id x and row 2 of `images`, id x are different'):
        JsonGroups(str(path))


@pytest.mark.parametrize('text, problem', [
    ('[1]', 'one JSON object'), ('{"images": [{"id": 1}, {"id"', 'not valid JSON'),
    ('{"videos": []}', 'no list `images`'), ('', 'one JSON object')])
def test_bad_files_are_named(tmp_path, text, problem):
    path = tmp_path / 'a.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=f'a.json.*{problem}'):
        JsonGroups(str(path))


def test_rows_come_with_their_bytes(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('{"b" : [ {"k": "é"} ,3],\n"c":"d"}', encoding='utf-8')
    content = path.read_bytes()
    rows = [(key, json.loads(content[start:end]))
            for key, _, start, end in iterate_rows(str(path), ('b', ))]
    assert rows == [('b', {'k': 'é'}), ('b', 3), ('c', 'd')]


BOXES = [[(0, (2, 3, 10, 12)), (1, (30, 5, 20, 20))], [(1, (5, 5, 8, 8))], [(0, (1, 1, 9, 9))]]


def test_a_mapped_store_gives_what_memory_gives_and_is_found_again(tmp_path, monkeypatch):
    root = write_coco(tmp_path / 'data', NAMES, BOXES)
    cache = str(tmp_path / 'cache')
    in_memory = coco(root)
    mapped = coco(root, cache_dir=cache)
    assert items(mapped) == items(in_memory) and mapped.metainfo == in_memory.metainfo
    assert isinstance(mapped.data_bytes, np.memmap) and isinstance(mapped.data_address, np.memmap)
    monkeypatch.setattr(TextCocoDataset, '_build', None)  # building again would fail
    assert items(coco(root, cache_dir=cache)) == items(in_memory)
    # a process that is not forked maps the file again; the bytes do not travel
    travelling = pickle.dumps(coco(root, cache_dir=cache, pipeline=[]))
    assert b'000000000001.jpg' not in travelling
    assert items(pickle.loads(travelling)) == items(in_memory)
    subset = coco(root, cache_dir=cache, indices=[2, 0])
    assert [info['img_id'] for info in items(subset)] == [3, 1]
    files = [p for p in Path(cache).rglob('*') if p.is_file()]
    assert {p.suffix for p in files} == {'.jsonl', '.npy', '.json', '.lock'}


def test_a_changed_file_folder_or_setting_makes_a_new_store(tmp_path):
    root = write_coco(tmp_path / 'data', NAMES, BOXES)
    cache = str(tmp_path / 'cache')

    def sizes(**kwargs):
        return [len(info['instances']) for info in items(coco(root, cache_dir=cache, **kwargs))]

    assert sizes() == [2, 1, 1]
    assert sizes(metainfo=dict(classes=('ring', ))) == [1, 1, 0]
    assert sizes(metainfo=dict(classes=('ring', )), filter_cfg=dict(filter_empty_gt=True)) == [1, 1]
    picture = root / 'train2017/000000000002.jpg'
    content = picture.read_bytes()
    picture.unlink()
    assert sizes() == [2, 1]
    picture.write_bytes(content)
    assert sizes() == [2, 1, 1]
    edit_json(root / ANN, lambda c: c['annotations'].pop())
    assert sizes() == [2, 1, 0]


def build_and_count(root, cache, queue):
    builds = []
    build = TextCocoDataset._build
    TextCocoDataset._build = lambda self, path: builds.append(1) or build(self, path)
    queue.put((len(coco(root, cache_dir=cache)), len(builds)))


def test_of_several_processes_one_builds(tmp_path):
    root = write_coco(tmp_path / 'data', NAMES, BOXES)
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    processes = [context.Process(target=build_and_count, args=(root, str(tmp_path / 'c'), queue))
                 for _ in range(3)]
    for process in processes:
        process.start()
    results = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert [size for size, _ in results] == [3] * 3 and sum(builds for _, builds in results) == 1


def test_an_interrupted_build_leaves_no_store(tmp_path, monkeypatch):
    root = write_coco(tmp_path / 'data', NAMES, BOXES)
    cache = tmp_path / 'cache'
    parse = TextCocoDataset.parse_data_info

    def stop(self, raw):
        if raw['raw_img_info']['id'] == 2:
            raise KeyboardInterrupt
        return parse(self, raw)

    monkeypatch.setattr(TextCocoDataset, 'parse_data_info', stop)
    with pytest.raises(KeyboardInterrupt):
        coco(root, cache_dir=str(cache))
    assert {p.suffix for p in cache.iterdir()} == {'.lock'}
    monkeypatch.undo()
    assert len(coco(root, cache_dir=str(cache))) == 3


RLE = {'size': [48, 64], 'counts': [10, 5, 48 * 64 - 15]}
# what breaks row 1, and the reason it is given
BROKEN = {
    'box of zero area': dict(bbox=[3, 3, 0, 5]),
    'box outside the image': dict(bbox=[70, 3, 5, 5]),
    'box that is not finite': dict(bbox=[3, 3, float('nan'), 5]),
    'no box': dict(bbox=None),
    'empty RLE': dict(segmentation={'size': [48, 64], 'counts': [48 * 64]}),
    'RLE of another size than the image': dict(segmentation={'size': [8, 8], 'counts': [1, 63]}),
    'polygon with fewer than 3 points': dict(segmentation=[[1, 1, 5, 5]]),
    'unknown category': dict(category_id=99),
    'no mask': dict(segmentation=None),
    'annotation of an unknown image': dict(image_id=77),
}


@pytest.mark.parametrize('reason', BROKEN)
def test_broken_rows_are_skipped_counted_and_named(tmp_path, reason):
    root = write_coco(tmp_path, NAMES, BOXES)

    def change(content):
        # the first row becomes the last, so that of two equal ids it is the second
        row = content['annotations'].pop(0)
        content['annotations'].append(dict(row, **BROKEN[reason]))

    edit_json(root / ANN, change)
    with captured_log() as messages:
        dataset = coco(root, masks='required')
    summary, = [m for m in messages if 'left out' in m]
    assert f'1 unusable rows left out; {reason}: 1 (first: ' in summary and ANN in summary
    assert [[i['bbox_label'] for i in info['instances']] for info in items(dataset)] == [
        [1], [1], [0]]
    assert all(len(dataset[i]['data_samples'].gt_instances) == 1 for i in range(3))


def test_all_reasons_come_in_one_summary_and_good_parts_stay(tmp_path):
    root = write_coco(tmp_path, NAMES, BOXES)

    def change(content):
        content['annotations'][0]['segmentation'] = [[1, 1, 5, 5], *rectangle(2, 3, 10, 12)]
        content['annotations'][1]['segmentation'] = RLE
        content['annotations'][2]['bbox'] = [1, 1, 5, 0]
        content['images'].append(dict(content['images'][2]))
        content['images'].append(dict(id=44, file_name='gone.jpg', width=64, height=48))
        content['images'].append(dict(id=45, file_name='gone too.jpg'))
        content['images'].append(dict(id=46, file_name='000000000001.jpg'))

    edit_json(root / ANN, change)
    with captured_log() as messages:
        dataset = coco(root)
    summary, = [m for m in messages if 'left out' in m]
    for part in ('4 unusable rows', 'box of zero area: 1', 'missing file: 1',
                 'image that is there twice: 1 (first: row 3 of `images`, id 3)', 'gone.jpg',
                 'image without width and height: 1 (first: row 5 of `images`, id 45)'):
        assert part in summary
    infos = items(dataset)
    assert any('without width and height: those of its file: 1 (first: row 6 of `images`, id 46)' in m
               for m in messages)
    assert [info['img_id'] for info in infos] == [1, 2, 3, 46]
    assert [infos[3][side] for side in ('width', 'height')] == [64, 48]
    assert infos[0]['instances'][0]['mask'] == rectangle(2, 3, 10, 12)
    masks = dataset[0]['data_samples'].gt_instances.masks.masks
    assert masks[1].T.reshape(-1).nonzero()[0].tolist() == list(range(10, 15))
    assert masks[0].sum() == 120


@pytest.mark.parametrize('change, options, message', [
    (lambda c: [c['images'].clear(), c['annotations'].clear()], {}, 'train2017.json has no image'),
    (lambda c: [row.pop('file_name') for row in c['images']], {}, 'nothing is left; no file_name: 3 .first: row 0'),
    (lambda c: c.update(annotations=None), dict(filter_cfg=dict(filter_empty_gt=True)), 'leaves none of 3 images')],
    ids=['no image', 'no file_name', 'filter'])
def test_a_file_of_which_nothing_is_left_is_named(tmp_path, change, options, message):
    root = write_coco(tmp_path, NAMES, BOXES)
    edit_json(root / ANN, change)
    with pytest.raises(ValueError, match=message):
        coco(root, **options)


def test_boxes_alone_need_and_check_no_mask(tmp_path):
    root = write_coco(tmp_path, NAMES, BOXES)
    edit_json(root / ANN, lambda c: [a.update(segmentation=[[1, 2]]) for a in c['annotations']])
    dataset = coco(root, masks='ignored')
    assert [len(info['instances']) for info in items(dataset)] == [2, 1, 1]
    assert not any('mask' in i for info in items(dataset) for i in info['instances'])


def test_no_picture_at_all_is_an_error(tmp_path):
    root = write_coco(tmp_path, NAMES, BOXES[:1])
    (root / 'train2017/000000000001.jpg').unlink()
    with pytest.raises(FileNotFoundError, match='none of the pictures.*000000000001.jpg.*data_root'):
        coco(root)
    save_image(root / 'train2017/000000000001.jpg', 64, 48)
    assert len(coco(root)) == 1

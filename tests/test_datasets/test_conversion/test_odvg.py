"""ODVG's JSON lines become COCO's boxes: by hand, and as mmdet's own reader has them."""
import json

import pytest
from mmdet.datasets import ODVGDataset

from projects.glee.datasets.conversion import ConversionError, convert_odvg

DETECTION = [
    dict(filename='a.jpg', height=40, width=60, detection=dict(instances=[
        dict(bbox=[1, 2, 11, 22], label=1, category='dog'), dict(bbox=[-5, 0, 30, 50.5], label=0, category='cat')])),
    dict(filename='b.jpg', height=40, width=60, detection=dict(instances=[])),
    dict(filename='c.jpg', height=40, width=60, detection=dict(instances=[
        dict(bbox=[5, 5, 5.5, 30], label=0, category='cat'), dict(bbox=[0, 0, 60, 40], label=1)]))]
GROUNDING = [
    dict(filename='a.jpg', height=40, width=60, grounding=dict(caption='Two dogs beside a red ball', regions=[
        dict(bbox=[[1, 2, 11, 22], [20, 2, 31, 22]], phrase='Two dogs', tokens_positive=[[0, 8]]),
        dict(bbox=[40, 30, 50, 39], tokens_positive=[[18, 21], [22, 26]])]))]


def written(folder, rows):
    path = folder / 'rows.jsonl'
    path.write_text('\n'.join(map(json.dumps, rows)) + '\n')
    return path


def boxes_of(content):
    """Per picture the corners and label of each object."""
    found = {image['file_name']: [] for image in content['images']}
    files = {image['id']: image['file_name'] for image in content['images']}
    for row in content['annotations']:
        x, y, w, h = row['bbox']
        found[files[row['image_id']]].append(([x, y, x + w, y + h], row['category_id'] - 1))
    return found


def test_detection_with_a_label_map_is_what_mmdet_reads(tmp_path):
    path, labels = written(tmp_path, DETECTION), tmp_path / 'labels.json'
    labels.write_text(json.dumps({'0': 'cat', '1': 'dog', '2': 'cow'}))
    skipped = convert_odvg(path, tmp_path / 'out.json', labels)
    content = json.loads((tmp_path / 'out.json').read_text())
    assert [row['name'] for row in content['categories']] == ['cat', 'dog', 'cow']
    assert skipped == {'box of less than a pixel inside the picture': 1}
    stock = ODVGDataset(ann_file=str(path), label_map_file=str(labels), data_prefix=dict(img=''), return_classes=True)
    for item in (stock[index] for index in range(len(stock))):
        expected = [([max(x1, 0), max(y1, 0), min(x2, 60), min(y2, 40)], found['bbox_label'])
                    for found in item['instances'] for x1, y1, x2, y2 in [found['bbox']]]
        assert boxes_of(content)[item['img_path']] == expected


def test_names_stand_in_the_rows_or_are_missed(tmp_path):
    skipped = convert_odvg(written(tmp_path, DETECTION), tmp_path / 'out.json')
    content = json.loads((tmp_path / 'out.json').read_text())
    assert [row['name'] for row in content['categories']] == ['cat', 'dog'] and len(content['images']) == 3
    assert skipped['object without a name: give --label-map, a file of label -> name'] == 1
    assert [row['bbox'] for row in content['annotations']] == [[1, 2, 10, 20], [0, 0, 30, 40]]


def test_what_a_caption_says_of_its_regions_names_them(tmp_path):
    assert not convert_odvg(written(tmp_path, GROUNDING), tmp_path / 'out.json')
    content = json.loads((tmp_path / 'out.json').read_text())
    assert [row['name'] for row in content['categories']] == ['red ball', 'two dogs']
    assert boxes_of(content)['a.jpg'] == [([1, 2, 11, 22], 1), ([20, 2, 31, 22], 1), ([40, 30, 50, 39], 0)]


@pytest.mark.parametrize('text, message', [
    (None, 'does not exist'), ('{"filename"', 'line 1 is no JSON'), ('[1]', 'line 1 is no object'),
    ('{"filename": "a.jpg", "height": 4, "width": 4}', 'neither detection nor grounding')])
def test_files_that_are_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / 'rows.jsonl').write_text(text)
    with pytest.raises(ConversionError, match=message):
        convert_odvg(tmp_path / 'rows.jsonl', tmp_path / 'out.json')
    assert not (tmp_path / 'out.json').exists()

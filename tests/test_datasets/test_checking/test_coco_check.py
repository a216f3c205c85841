"""Each mistake of a data set, made on purpose in a right one, is named; the right one passes."""
import json

import numpy as np
import pytest
from PIL import Image

from projects.glee.datasets.checking import check_coco, shared_pictures, unnamed_pictures
from projects.glee_cli.exits import OK, SOME_FAILED, WRONG_USE
from projects.glee_cli.program import main

NAMES = ('red ring', 'platelet', 'cat')


def write(folder, content):
    path = folder / 'train.json'
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def right(tmp_path):
    """Content of a right file; its pictures p0.png to p4.png of 60 x 40 px lie in the folder."""
    noise = np.random.default_rng(0).integers(0, 255, (5, 40, 60, 3), np.uint8)
    for number, pixels in enumerate(noise):
        Image.fromarray(pixels).save(tmp_path / f'p{number}.png')
    images = [dict(id=number, file_name=f'p{number}.png', width=60, height=40) for number in range(1, 5)]
    images.insert(0, dict(images[0], id=9, file_name='p0.png'))
    annotations = [dict(id=10 * image['id'] + k, image_id=image['id'], category_id=k + 1, iscrowd=0, area=80,
                        bbox=[35 + k, 20, 10, 8], segmentation=[[35, 20, 45, 20, 45, 28]])
                   for image in images for k in range(3)]
    return dict(images=images, annotations=annotations,
                categories=[dict(id=k + 1, name=name) for k, name in enumerate(NAMES)])


def test_a_right_file_has_no_fault_and_its_objects_are_counted(tmp_path, right, capsys):
    report = check_coco(write(tmp_path, right))
    assert report.faults == report.advice == {}
    assert report.objects == report.pictures == dict.fromkeys(NAMES, 5) and len(report.items) == len(report.hashes) == 5
    assert main(['check', str(tmp_path / 'train.json'), '--grid', str(tmp_path / 'grid.png')]) == OK
    assert '5 usable pictures, 15 objects, 3 names' in capsys.readouterr().out
    assert Image.open(tmp_path / 'grid.png').size == (4 * (480 + 8), 2 * (320 + 8))


def corners(content):
    for row in content['annotations']:
        x, y, w, h = row['bbox']
        row['bbox'] = [x, y, x + w, y + h]


def change(key, position, **values):
    return lambda content: content[key][position].update(values)


@pytest.mark.parametrize('spoil, fault, count', [
    (corners, 'fits as corners', 15),
    (change('annotations', 3, bbox=[50, 30, 20, 9]), 'box that leaves its picture', 1),
    (change('annotations', 3, bbox=[500, 30, 20, 9]), 'box outside the image', 1),
    (change('annotations', 3, bbox=[5, 3, 1, 1]), 'box of one pixel', 1),
    (change('annotations', 3, bbox=[5, 3, 0, 8]), 'box of zero area', 1),
    (change('annotations', 3, bbox=[5, 3, 'wide', 8]), 'box that is no number', 1),
    (change('annotations', 3, id=90), 'annotation whose id was there before', 1),
    (change('annotations', 3, image_id=77), 'annotation of an unknown image', 1),
    (change('annotations', 3, category_id=7), 'unknown category', 1),
    (change('annotations', 3, segmentation=[[5, 6, 7]]), 'polygon', 1),
    (change('images', 2, file_name='nowhere.png'), 'picture that is missing', 1),
    (change('images', 2, width=40, height=60), 'another size than the file says: turned by its EXIF', 1),
    (change('images', 2, width=61), 'another size than the file says', 1),
    (change('categories', 1, name='Red-Ring'), 'names that differ in case, blanks or signs alone', 1),
])
def test_each_fault_is_named_and_counted(tmp_path, right, spoil, fault, count):
    spoil(right)
    report = check_coco(write(tmp_path, right))
    found = {reason: number for reason, (number, _) in report.faults.items() if fault in reason}
    assert list(found.values()) == [count], report.faults
    assert main(['check', str(tmp_path / 'train.json'), '--quick']) == SOME_FAILED


def test_damaged_pictures_are_found_where_pixels_are_read(tmp_path, right):
    path = tmp_path / 'p2.png'
    path.write_bytes(path.read_bytes()[:-2000])
    file = write(tmp_path, right)
    assert check_coco(file).faults == {'picture that cannot be read': [1, str(path)]}
    path.write_bytes(b'no picture')
    assert check_coco(file, quick=True).faults == {'picture that cannot be read': [1, str(path)]}


@pytest.mark.parametrize('spoil, advice', [
    (change('annotations', 1, category_id=1, bbox=[35, 20, 10, 8]), 'object that is annotated twice'),
    (change('categories', 1, name='red rings'), 'names that are nearly alike'),
    (change('categories', 1, name='trafic light'), "name that is nearly one of a public data set"),
    (lambda content: content['categories'].append(dict(id=8, name='dog')), 'name without an object'),
    (lambda content: content.update(annotations=content['annotations'][3:]), 'picture without an object'),
])
def test_what_is_worth_a_look_is_no_fault(tmp_path, right, spoil, advice):
    spoil(right)
    report = check_coco(write(tmp_path, right))
    assert report.faults == {} and any(advice in reason for reason in report.advice), report.advice


def test_pictures_in_training_and_validation(tmp_path, right, capsys):
    """By their content: the validation has one of them under another name."""
    (tmp_path / 'val').mkdir()
    (tmp_path / 'val/other.png').write_bytes((tmp_path / 'p3.png').read_bytes())
    val = dict(right, images=[dict(right['images'][0], file_name='other.png')], annotations=right['annotations'][:3])
    train, val = check_coco(write(tmp_path, right)), check_coco(write(tmp_path / 'val', val))
    assert shared_pictures(train.hashes, val.hashes) == [(str(tmp_path / 'p3.png'), str(tmp_path / 'val/other.png'))]
    assert unnamed_pictures(tmp_path, val.named) == [tmp_path / f'p{number}.png' for number in range(5)]
    code = main(['check', train.ann_file, '--val', val.ann_file, '--val-images', str(tmp_path / 'val')])
    assert code == SOME_FAILED and 'picture that is also in the training' in capsys.readouterr().out


@pytest.mark.parametrize('words, message', [
    (['nowhere.json'], 'annotation file nowhere.json does not exist'),
    (['FILE', '--images', 'nowhere'], 'folder of pictures nowhere does not exist')])
def test_a_wrong_path_is_one_line(tmp_path, right, capsys, words, message):
    file = str(write(tmp_path, right))
    assert main(['check', *(file if word == 'FILE' else word for word in words)]) == WRONG_USE
    assert capsys.readouterr().err == f'glee check: {message}\n'

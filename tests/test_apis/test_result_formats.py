"""Files for other tools, read back as those tools read them."""
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw
from pycocotools.coco import COCO
from scipy.ndimage import label

from projects.glee.apis import ImageResult
from projects.glee.apis.result_formats import CocoFile, LabelmeFolder, YoloFolder, outlines
from projects.glee.structures.masks import encode

SHAPE = (40, 60)
NAMES = ['cat', 'hot dog', 'cat', 'cat']


def blob(seed, level=0.2):
    """A mask of some parts, some of them with holes."""
    noise = np.random.default_rng(seed).normal(size=SHAPE)
    return cv2.GaussianBlur(noise, (0, 0), 2.5) > level


def mask_of(*rectangles):
    mask = np.zeros(SHAPE, bool)
    for x1, y1, x2, y2 in rectangles:
        mask[y1:y2, x1:x2] = True
    return mask


MASKS = [mask_of((3, 4, 20, 30)), mask_of((10, 10, 14, 12), (40, 20, 59, 40)), mask_of((0, 0, 1, 1)), mask_of()]


@pytest.fixture
def result(tmp_path):
    """Four objects: a rectangle, two of them, a pixel, and one without pixels."""
    (tmp_path / 'photos').mkdir()
    Image.new('RGB', SHAPE[::-1]).save(tmp_path / 'photos/a.jpg')
    boxes = np.array([(3, 4, 20, 30), (10, 10, 59, 40), (0, 0, 1, 1), (5, 6, 7.5, 8)], np.float32)
    return ImageResult(str(tmp_path / 'photos/a.jpg'), SHAPE, NAMES, boxes, np.array([.9, .8, .7, .6], np.float32),
                       [encode(mask) for mask in MASKS])


def filled_by_labelme(points):
    """As labelme.utils.shape_to_mask draws a polygon."""
    assert len(points) > 2, 'Polygon must have points more than 2'
    picture = Image.new('L', SHAPE[::-1])
    ImageDraw.Draw(picture).polygon(xy=[tuple(point) for point in points], outline=1, fill=1)
    return np.asarray(picture, bool)


def yolo_line(points):
    """Of class 0."""
    return ' '.join(['0', *map(str, ((np.array(points) + 0.5) / SHAPE[::-1]).ravel())])


def filled_by_yolo(line):
    """Class and mask of a line, as ultralytics' polygon2mask draws it."""
    number, *values = line.split()
    assert len(values) % 2 == 0 and len(values) >= 6 and all(0 <= float(value) <= 1 for value in values)
    mask = np.zeros(SHAPE, np.uint8)
    segment = np.array(values, np.float32).reshape(-1, 2) * np.array(SHAPE[::-1], np.float32)
    cv2.fillPoly(mask, np.asarray([segment], np.int32), color=1)
    return int(number), mask.astype(bool)


@pytest.mark.parametrize('level', [0.2, 0., -0.1])
@pytest.mark.parametrize('seed', range(12))
def test_outlines_give_the_mask_with_its_holes(seed, level):
    """Up to 13 holes; where lines meet labelme loses a pixel, YOLO's trainers none."""
    mask = blob(seed, level)
    parts = outlines(encode(mask))
    drawn = np.any([filled_by_labelme(part.tolist()) for part in parts], axis=0)
    assert (mask >= drawn).all() and (mask & ~drawn).sum() <= 3 and mask.any()
    assert np.array_equal(mask, np.any([filled_by_yolo(yolo_line(part))[1] for part in parts], axis=0))
    assert len(parts) == label(mask, np.ones((3, 3)))[1]


@pytest.mark.parametrize('fill', [filled_by_labelme, lambda points: filled_by_yolo(yolo_line(points))[1]])
def test_a_frame_and_what_is_in_its_hole(fill):
    """A frame of 4 px around a square: two parts, and between them nothing."""
    mask = mask_of((4, 4, 34, 30)) & ~mask_of((8, 8, 30, 26)) | mask_of((14, 14, 20, 20))
    frame, square = outlines(encode(mask))
    assert np.array_equal(fill(square.tolist()), mask_of((14, 14, 20, 20)))
    assert np.array_equal(fill(frame.tolist()), mask & ~mask_of((14, 14, 20, 20)))


def test_labelme(result, tmp_path):
    """The keys that labelme.LabelFile asks for; the parts of one object are a group."""
    writer = LabelmeFolder(tmp_path / 'labels')
    for _ in range(2):  # two pictures of one name
        writer.write(result)
    writer.close()
    assert sorted(path.name for path in (tmp_path / 'labels').iterdir()) == ['a.json', 'a_2.json']
    found = json.loads((tmp_path / 'labels/a.json').read_text())
    assert {'version', 'imageData', 'imagePath', 'shapes', 'flags', 'imageHeight', 'imageWidth'} <= found.keys()
    assert Image.open(tmp_path / 'labels' / found['imagePath']).size == (found['imageWidth'], found['imageHeight'])
    shapes = found['shapes']
    assert [(shape['label'], shape['group_id'], shape['shape_type']) for shape in shapes] == [
        ('cat', None, 'polygon'), ('hot dog', 1, 'polygon'), ('hot dog', 1, 'polygon'), ('cat', None, 'polygon'),
        ('cat', None, 'rectangle')]
    filled = [filled_by_labelme(shape['points']) for shape in shapes[:4]]
    for mask, drawn in zip(MASKS, (filled[0], filled[1] | filled[2], filled[3])):
        assert np.array_equal(mask, drawn)
    assert shapes[4]['points'] == [[5, 6], [7.5, 8]]
    assert result.to_labelme(tmp_path / 'photos/a.json')['imagePath'] == 'a.jpg'
    assert json.loads((tmp_path / 'photos/a.json').read_text())['shapes'] == shapes


def test_yolo(result, tmp_path):
    """Ids are those of the names that were asked for; a picture without objects has an empty file."""
    writer = YoloFolder(tmp_path / 'yolo', ['dog', 'cat'])
    writer.write(result)
    writer.write(result[[]])
    writer.close()
    assert yaml.safe_load((tmp_path / 'yolo/data.yaml').read_text())['names'] == {0: 'dog', 1: 'cat', 2: 'hot dog'}
    lines = (tmp_path / 'yolo/labels/a.txt').read_text().splitlines()
    assert (tmp_path / 'yolo/labels/a_2.txt').read_text() == '' and len(lines) == 3  # one object has no pixel
    (first, mask), (second, joined), (third, pixel) = map(filled_by_yolo, lines)
    assert (first, second, third) == (1, 2, 1)
    assert np.array_equal(mask, MASKS[0]) and np.array_equal(pixel, MASKS[2])
    assert (joined >= MASKS[1]).all() and (joined & ~MASKS[1]).sum() < 60  # a line between two parts
    boxes = np.array([line.split() for line in result.to_yolo({'cat': 0}, with_masks=False)], float)
    expected = [[0, 11.5 / 60, 17 / 40, 17 / 60, 26 / 40], [0, 0.5 / 60, 0.5 / 40, 1 / 60, 1 / 40],
                [0, 6.25 / 60, 7 / 40, 2.5 / 60, 2 / 40]]
    np.testing.assert_allclose(boxes, expected, atol=1e-6)


@pytest.mark.parametrize('seed', range(6))
def test_yolo_of_many_parts(seed):
    """Nothing is lost, and what joins the parts is a few lines."""
    mask = blob(seed, -0.1)
    found = ImageResult(None, SHAPE, ['x'], np.zeros((1, 4), np.float32), np.ones(1, np.float32), [encode(mask)])
    (_, drawn), = map(filled_by_yolo, found.to_yolo({'x': 0}))
    parts = len(outlines(encode(mask)))
    assert (drawn >= mask).all() and (drawn & ~mask).sum() <= 60 * (parts - 1)


def test_coco(result, tmp_path, capsys):
    writer = CocoFile(tmp_path / 'new/coco.json', ['dog', 'cat'])
    writer.write(result)
    writer.write(result[:1])
    writer.close()
    coco = COCO(str(tmp_path / 'new/coco.json'))
    assert {number: found['name'] for number, found in coco.cats.items()} == {1: 'dog', 2: 'cat', 3: 'hot dog'}
    assert [image['file_name'] for image in coco.imgs.values()] == [result.path] * 2
    for mask, found in zip(MASKS, coco.imgToAnns[1]):
        assert np.array_equal(coco.annToMask(found), mask) and found['area'] == mask.sum()
    assert [found['category_id'] for found in coco.imgToAnns[1]] == [2, 3, 2, 2] and len(coco.imgToAnns[2]) == 1
    assert coco.anns[2]['bbox'] == [10, 10, 49, 30] and coco.anns[2]['score'] == pytest.approx(0.8)


def test_boxes_alone(result, tmp_path):
    """A model that has learned no masks: rectangles in labelme, boxes in YOLO and COCO."""
    boxes = replace(result, rles=None)
    assert [shape['shape_type'] for shape in boxes.to_labelme(tmp_path / 'a.json')['shapes']] == ['rectangle'] * 4
    assert boxes.to_yolo({'cat': 0}) == [] and len(boxes.to_yolo({'cat': 0}, with_masks=False)) == 3
    writer = CocoFile(tmp_path / 'coco.json')
    writer.write(boxes)
    writer.close()
    found, *_ = json.loads((tmp_path / 'coco.json').read_text())['annotations']
    assert found['area'] == 17 * 26 and 'segmentation' not in found


def test_pandas(result):
    pandas = pytest.importorskip('pandas')
    frame = result.to_pandas()
    assert frame.name.tolist() == NAMES and frame.area.tolist() == [17 * 26, 8 + 19 * 20, 1, 0]
    assert frame[['x1', 'y1', 'x2', 'y2']].to_numpy().tolist() == result.boxes.tolist() and frame.id.isna().all()
    tracked = ImageResult(None, SHAPE, ['x'], result.boxes[:1], result.scores[:1], result.rles[:1],
                          ids=np.array([7]), frame=3).to_pandas()
    both = pandas.concat([frame, tracked])
    assert both.id.iloc[-1] == 7 and both.frame.iloc[-1] == 3 and result[[]].to_pandas().empty

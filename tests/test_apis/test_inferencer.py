"""The inferencer against the model's own predict on prepared samples; inputs, batches, limits and errors."""
import json

import numpy as np
import pytest
import torch
from config_runs import load
from mmdet.structures import DetDataSample
from PIL import Image

from projects.glee.apis import GLEEInferencer, InteractiveSession, inferencer
from projects.glee.structures.masks import encode

NAMES = ['red star', 'ring', 'square']


@pytest.fixture(scope='module')
def glee(tmp_path_factory):
    cfg = load('glee_mini_coco', tmp_path_factory.mktemp('work'))
    torch.manual_seed(0)
    return GLEEInferencer(cfg, device='cpu', score_thr=0.)


def picture(seed=0, shape=(60, 90)):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def predicted(glee, image, text, text_mode='category', scale=(240, 160)):
    """``model.predict`` of a picture resized by hand to a shorter side of 160 px."""
    resized = np.asarray(Image.fromarray(image).resize(scale, Image.Resampling.BILINEAR))[..., ::-1]
    sample = DetDataSample(metainfo=dict(ori_shape=image.shape[:2], img_shape=resized.shape[:2], text=tuple(text),
                                         text_mode=text_mode))
    inputs = torch.from_numpy(np.ascontiguousarray(resized.transpose(2, 0, 1)))
    data = glee.model.data_preprocessor(dict(inputs=[inputs], data_samples=[sample]), False)
    with torch.no_grad():
        return glee.model.predict(data['inputs'], data['data_samples'])[0].pred_instances


def test_names_are_those_of_predict_best_first(glee):
    found, expected = glee(picture(), names=NAMES)[0], predicted(glee, picture(), NAMES)
    order = expected.scores.argsort(descending=True, stable=True)
    assert len(found) == len(order) == 90  # 30 queries, 3 names
    np.testing.assert_allclose(found.scores, expected.scores[order], atol=1e-6)
    np.testing.assert_allclose(found.boxes, expected.bboxes[order], atol=1e-3)
    assert found.names == [NAMES[label] for label in expected.labels[order].tolist()]
    np.testing.assert_array_equal(found.masks, expected.masks[order].numpy())


def test_expressions_give_one_object_each(glee):
    sentences = ['the red star', 'a ring on the left']
    found, expected = glee(picture(), expressions=sentences)[0], predicted(glee, picture(), sentences, 'expression')
    assert sorted(found.names) == sorted(sentences)
    np.testing.assert_allclose(found.scores, expected.scores.sort(descending=True).values, atol=1e-6)


def test_prompts_are_those_of_the_session_in_order(glee):
    prompts = [dict(points=[(30, 20)]), dict(boxes=[(5, 5, 40, 50)], text='a star')]
    session = InteractiveSession(glee.model)
    session.set_image(picture())
    found, expected = glee(picture(), prompts=prompts)[0], session.add_many(prompts)
    assert found.names == ['object', 'a star']
    for row, one in enumerate(expected):
        assert found.scores[row] == pytest.approx(one.score, abs=1e-6)
        np.testing.assert_array_equal(found.masks[row], one.mask)


def test_a_reference_finds_what_the_session_finds(glee):
    session = InteractiveSession(glee.model)
    session.set_image(picture())
    reference = session.encode_reference(points=[(30, 20)])
    by_dict = glee(picture(1), reference=dict(image=picture(), points=[(30, 20)]))[0]
    by_prompt = glee(picture(1), reference=reference)[0]
    session.set_image(picture(1))
    expected = session.find(reference=reference)
    np.testing.assert_allclose(by_prompt.scores, [one.score for one in expected], atol=1e-6)
    np.testing.assert_allclose(by_dict.scores, by_prompt.scores, atol=1e-6)


@pytest.mark.parametrize('batch_size', [1, 2, 8])
def test_batches_and_vocabularies_change_nothing(glee, batch_size):
    images = [picture(0), picture(1), picture(2, (90, 60)), picture(3)]
    names = [['star'], ['ring', 'square'], ['star'], ['circle']]
    together = glee(images, names=names, batch_size=batch_size, show_progress=False)
    for result, image, own in zip(together, images, names):
        alone = glee(image, names=own)[0]
        np.testing.assert_allclose(result.scores, alone.scores, atol=2e-5)
        assert result.shape == image.shape[:2] and set(result.names) <= set(own)


def test_limits(glee):
    everything = glee(picture(), names=NAMES)[0]
    middle = float(np.median(everything.scores))
    some = glee(picture(), names=NAMES, score_thr=middle)[0]
    assert len(some) == (everything.scores >= middle).sum() and some.scores.min() >= middle
    assert len(glee(picture(), names=NAMES, max_per_img=7)[0]) == 7 and glee.model.panoptic_head.max_per_img == 100
    apart = glee(picture(), names=NAMES, nms_iou=0.5)[0]
    for row, box in enumerate(apart.boxes):
        assert all(iou(box, other) <= 0.5 + 1e-6 for other in apart.boxes[:row])


def iou(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.prod((high - low).clip(0))
    return shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared)


def test_stuff_gives_a_panoptic_map(glee):
    result = glee(picture(), names=['star'], stuff=['sky'])[0]
    assert result.segment_map.shape == (60, 90)
    counts = np.bincount(result.segment_map.ravel(), minlength=len(result.segments) + 1)
    assert [segment['area'] for segment in result.segments] == counts[1:len(result.segments) + 1].tolist()
    assert {segment['name'] for segment in result.segments} <= {'star', 'sky'}


def test_damaged_pictures_are_named_and_the_rest_goes_on(glee, tmp_path):
    Image.fromarray(picture()).save(tmp_path / 'good.png')
    (tmp_path / 'bad.png').write_bytes(b'none')
    found = glee(tmp_path, names='star', show_progress=False)
    assert [result.path for result in found] == [str(tmp_path / 'good.png')]
    assert list(found.errors) == [str(tmp_path / 'bad.png')] == list(glee.errors)
    with pytest.raises(ValueError, match='bad.png cannot be read as a picture'):
        glee(tmp_path / 'bad.png', names='star')


def test_a_stream_reads_as_it_goes(glee):
    read = []

    def pictures():
        for number in range(3):
            read.append(number)
            yield picture(number)

    stream = glee(pictures(), names='star', stream=True)
    assert read == []
    next(stream)
    assert read == [0, 1]  # the next one may belong to the same batch


@pytest.mark.parametrize('asked, message', [
    (dict(), 'say what to look for'), (dict(names=''), 'names is empty'), (dict(names=[]), 'names is empty'),
    (dict(names=['star', ' ']), 'names is empty or holds an empty'), (dict(stuff='sky'), 'stuff= needs names='),
    (dict(names=['a', 3]), 'names'), (dict(names='a', reference={}), 'asked alone'),
    (dict(reference=dict(points=[(1, 1)])), 'needs image=')])
def test_impossible_questions_are_named(glee, asked, message):
    with pytest.raises(ValueError, match=message):
        glee(picture(), **asked)


def test_too_few_vocabularies_are_named(glee):
    with pytest.raises(ValueError, match='names= has 1 lists'):
        glee([picture(), picture(1)], names=[['star']], show_progress=False)


def test_a_result_in_other_forms(glee, tmp_path):
    result = glee(picture(), names=NAMES, max_per_img=5)[0]
    content = json.loads(result.to_json(tmp_path / 'found.json'))
    assert content == json.loads((tmp_path / 'found.json').read_text())
    assert [entry['name'] for entry in content['objects']] == result.names and content['height'] == 60
    assert content['objects'][0]['mask'] == encode(result.masks[0])
    entry = result.to_coco(7, {name: number for number, name in enumerate(NAMES, 1)})[0]
    x1, y1, x2, y2 = result.boxes[0].tolist()
    assert entry['bbox'] == pytest.approx([x1, y1, x2 - x1, y2 - y1]) and entry['image_id'] == 7
    assert result[1:3].names == result.names[1:3] and len(result[result.scores > 2]) == 0
    assert Image.open(result.save(tmp_path / 'new/out.jpg')).size == (720, 480)  # 640 px or more, by a whole factor


def test_supervision_keeps_names(glee):
    supervision = pytest.importorskip('supervision')
    result = glee(picture(), names=NAMES, max_per_img=5)[0]
    detections = result.to_supervision()
    assert isinstance(detections, supervision.Detections)
    assert detections.data['class_name'].tolist() == result.names and detections.mask.shape == (5, 60, 90)
    np.testing.assert_allclose(detections.xyxy, result.boxes)


@pytest.mark.parametrize('options, times', [({}, 1), (dict(tune_allocator=False), 0)])
def test_the_allocator_is_set_when_an_inferencer_is_made(monkeypatch, tmp_path, options, times):
    calls = []
    monkeypatch.setattr(inferencer, 'keep_freed_memory', lambda: calls.append(1))
    GLEEInferencer(load('glee_mini_coco', tmp_path), device='cpu', **options)
    assert len(calls) == times

"""ReasonSeg: its files, its metric, and MiniWorld's questions."""
import json

import cv2
import numpy as np
import pytest

import projects.glee.llm  # noqa: F401
from projects.glee.llm.data import AskReasonSeg, ReasonSegDataset
from projects.glee.llm.data.templates import put
from projects.glee.llm.metrics import ReasonSegMetric
from projects.glee.miniworld.reasoning_world import build_reasoning_world
from projects.glee.miniworld.world.pictures import take_pictures
from projects.glee.miniworld.world.reasoning import LIKENESS, PUZZLING, ask


def write(folder, name, shapes, text='a thing', is_sentence=False, encoding='utf-8', picture=True):
    folder.mkdir(parents=True, exist_ok=True)
    if picture:
        cv2.imwrite(str(folder / f'{name}.jpg'), np.zeros((20, 30, 3), np.uint8))
    content = json.dumps(dict(text=[text, 'another'], is_sentence=is_sentence, shapes=[
        dict(label=label, points=points) for label, points in shapes]), ensure_ascii=False)
    (folder / f'{name}.json').write_bytes(content.encode(encoding))


def square(x, y, side):
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]


def test_reader(tmp_path):
    folder = tmp_path / 'train'
    write(folder, 'a', [('target', square(2, 2, 3)), ('Ignore this', square(0, 0, 9)), ('flag', square(0, 0, 19))])
    write(folder, 'b', [('target', square(1, 1, 4)), ('target', square(20, 10, 2))], 'où est-il ?', True, 'cp1252')
    write(folder, 'c', [('target', square(1, 1, 4))], picture=False)
    (tmp_path / 'why.json').write_text(json.dumps([dict(image='b.jpg', query='?', outputs='It floats.')]))
    dataset = ReasonSegDataset(ann_file='why.json', data_root=str(tmp_path), data_prefix=dict(img='train/'),
                               pipeline=[dict(type='AskReasonSeg')])
    assert len(dataset) == 2 and list(dataset.broken.reasons.values()) == [[1, 'c.json']]
    first, second = (dataset[number]['data_samples'] for number in range(2))
    truth, ignored = np.zeros((20, 30), bool), np.zeros((20, 30), bool)
    truth[2:6, 2:6] = True  # polygons with their outline: 3 px and one more
    ignored[:10, :10] = True
    assert np.array_equal(first.gt_masks[0], truth) and np.array_equal(first.ignored, ignored & ~truth)
    assert second.gt_masks[0].sum() == 25 + 9 and first.kind == 'short' and second.kind == 'long'
    assert first.turns[0].asked == (0, 'Can you segment the a thing in this image?')
    assert second.turns[0].asked == (0, 'où est-il ? Please respond with segmentation mask.')
    assert first.turns[0].answer == second.turns[0].answer == 'Sure, the segmentation result is [SEG].'
    np.random.seed(0)
    said = {AskReasonSeg(random_wording=True)(dataset.get_data_info(1))['data_samples'].turns[0] for _ in range(40)}
    explained = [turn for turn in said if turn.answer.endswith('[SEG]. It floats.')]
    assert 2 < len(explained) < len(said) and all('explain' in turn.asked[1] for turn in explained)
    with pytest.raises(FileNotFoundError, match='no such folder of ReasonSeg'):
        ReasonSegDataset(data_root=str(tmp_path), data_prefix=dict(img='val/'))
    assert put('the ring', ('Can you segment the {} ?', )) == 'Can you segment the ring ?'
    assert put('the ring', ('What is {} ?', )) == 'What is the ring ?'


def slow_scores(pairs):
    """gIoU and cIoU pixel by pixel."""
    ious, inters, unions = [], 0, 0
    for found, truth, ignored in pairs:
        inter = union = 0
        for place in np.ndindex(truth.shape):
            if not ignored[place]:
                inter += bool(found[place] and truth[place])
                union += bool(found[place] or truth[place])
        ious.append(inter / (union + 1e-5) if union else 1.)
        inters, unions = inters + inter, unions + union
    return sum(ious) / len(ious), inters / (unions + 1e-10)


def test_metric_equals_a_slow_one():
    rng = np.random.default_rng(0)
    pairs = [(rng.random((6, 7)) < 0.4, rng.random((6, 7)) < 0.4, rng.random((6, 7)) < 0.2) for _ in range(12)]
    pairs += [(np.zeros((6, 7), bool), ) * 3]
    metric = ReasonSegMetric()
    for number, (found, truth, ignored) in enumerate(pairs):
        masks = np.stack([found & (rng.random((6, 7)) < 0.5), found]) if found.any() else np.zeros((0, 6, 7), bool)
        metric.process({}, [dict(gt_masks=[truth], ignored=ignored, pred_instances=dict(masks=masks),
                                 kind=('short', 'long')[number % 2])])
    scores = metric.compute_metrics(metric.results)
    for name, part in (('', pairs), ('short_', pairs[::2]), ('long_', pairs[1::2])):
        expected = slow_scores(part)
        assert (scores[f'{name}gIoU'], scores[f'{name}cIoU']) == pytest.approx(expected, abs=1e-9)


def holds(question, picture, index):
    """Whether an object is what a question asks for, from the words alone."""
    objects = [seen.obj for seen in picture.objects]
    obj, words = objects[index], question.text.split()
    if question.kind == 'neither':
        return obj.shape == words[1] and obj.colour != words[5] and obj.fill != words[7]
    if question.kind == 'only':
        return words[2] in (obj.colour, obj.fill)
    if question.kind == 'except':
        return obj.colour == words[1] and obj.shape != words[-1]
    if question.kind == 'likeness':
        return question.text in LIKENESS[obj.shape]
    if question.kind == 'same':
        model = next(other for other in objects if other.shape == words[-1])
        return obj is not model and obj.colour == model.colour
    if question.kind == 'size':
        return obj.size == (max if 'biggest' in words else min)(other.size for other in objects)
    axis, pick = dict(leftmost=(0, min), rightmost=(0, max), topmost=(1, min), bottommost=(1, max))[words[1]]
    return picture.objects[index].centre[axis] == pick(seen.centre[axis] for seen in picture.objects)


def test_every_question_has_one_answer():
    kinds = set()
    for picture in take_pictures('reasoning_val', 3, 60, sampler=PUZZLING):
        for question in ask(picture):
            fits = [index for index in range(len(picture.objects)) if holds(question, picture, index)]
            assert fits == [question.target], question
            kinds.add(question.kind)
    assert kinds == {'neither', 'only', 'except', 'likeness', 'same', 'size', 'extreme'}


def test_questions_of_a_picture_are_turns(tmp_path):
    build_reasoning_world(tmp_path, 3, 1, seed=2)
    settings = dict(data_root=str(tmp_path), data_prefix=dict(img='ReasonSeg/train/'))
    together = ReasonSegDataset(**settings, same_picture=True, pipeline=[dict(type='AskReasonSeg', max_turns=4)])
    alone = ReasonSegDataset(**settings, pipeline=[dict(type='AskReasonSeg')])
    assert len(together) == 3 and len(alone) == sum(len(together.get_data_info(i)['questions']) for i in range(3)) > 6
    sample = together[1]['data_samples']
    assert len(sample.turns) == len(sample.gt_masks) == len(sample.seg_pictures) > 1
    assert [turn.asked[0] for turn in sample.turns].count(0) == 1 and sample.turns[0].asked[0] == 0
    picture = list(take_pictures('reasoning_train', 2, 3, sampler=PUZZLING))[1]
    truth = {put(question.text, ('Can you segment the {} in this image?', )): picture.objects[question.target].area
             for question in ask(picture)}
    for turn, mask in zip(sample.turns, sample.gt_masks):
        assert mask.sum() == pytest.approx(truth[turn.asked[-1]], rel=0.2)  # polygons are drawn with their outline

"""The demo on pictures, without a page: what is given against the session, what is missing, steps, undo, files."""
import json
import re

import numpy as np
import pytest
from demo_image import CLICKS, NO_PICTURE, NOTHING_ASKED, PREVIEW, TAKEN_BACK, ImageDemo, Question
from demo_model import GREEN, RED, drawing, tiny_glee
from demo_pictures import View, blob_points, cell_points, counted, prompt_of, read_strokes, split_names
from PIL import Image

from projects.glee.structures.masks import decode, encode

SHAPE = (60, 90)
VIEW = View.of(SHAPE)
NAMES, STUFF = ('circle', 'star', 'ring'), ('sky', )


@pytest.fixture(scope='module')
def glee():
    return tiny_glee()


@pytest.fixture(scope='module')
def score(glee):
    """That five objects of the picture have."""
    return float(glee(picture(), names=NAMES, score_thr=0.)[0].scores[4])


@pytest.fixture
def demo(glee):
    demo = ImageDemo(glee)
    demo.open(picture())
    return demo


def picture(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def layer(*rectangles, **kwargs):
    """A drawing over what is shown, by rectangles in px of the picture."""
    return drawing(VIEW.size, *(np.array(rectangle) * VIEW.factor for rectangle in rectangles), **kwargs)


def region(x1, y1, x2, y2):
    mask = np.zeros(SHAPE, bool)
    mask[y1:y2, x1:x2] = True
    return mask


def reference(glee):
    return glee.open_image(picture(3)).encode_reference(mask=region(10, 10, 50, 50), mask_kind='scribble')


GIVEN = dict(stroke=dict(layers=[layer((20, 10, 40, 14))]), sentence=dict(sentence=' the red star '),
             example=dict(example=picture(3), example_layers=[layer((10, 10, 50, 50))]))


@pytest.mark.parametrize('what', ['stroke', 'sentence', 'example', 'stroke sentence', 'stroke example',
                                  'sentence example', 'stroke sentence example'])
def test_what_is_given_is_one_object_of_the_session(demo, glee, what):
    parts = what.split()
    answer = demo.run(Question(**{key: value for part in parts for key, value in GIVEN[part].items()}, min_score=0))
    prompts = dict(stroke=dict(mask=region(20, 10, 40, 14), mask_kind='scribble'), sentence=dict(text='the red star'),
                   example=dict(reference=reference(glee)) if 'example' in parts else {})
    prompt = {key: value for part in parts for key, value in prompts[part].items()}
    session = glee.open_image(picture())
    expected = session.find(min_score=0, **prompt) if 'stroke' not in parts and 'example' in parts else [
        session.add(**prompt)]
    assert [row[1] for row in answer.table] == [round(found.score, 3) for found in expected]
    assert answer.table[0][0] == ('the red star' if 'sentence' in parts else 'object 1')
    assert answer.table[0][2:] == pytest.approx(expected[0].box.tolist(), abs=0.06)
    assert answer.message == f'{len(expected)} object(s) added or corrected'
    assert answer.picture.shape == (*VIEW.size, 3) and answer.picture.dtype == np.uint8


def test_names_find_as_the_inferencer_does(demo, glee, score):
    """Again with other names replaces them; together with a stroke both are there."""
    expected = glee(picture(), names=NAMES, score_thr=score)[0]
    answer = demo.run(Question(NAMES, min_score=score))
    assert [row[0] for row in answer.table] == expected.names and 5 <= len(expected) < 36
    assert [row[1] for row in answer.table] == [round(float(score), 3) for score in expected.scores]
    assert answer.message == f'found {counted(expected.names)}'
    both = demo.run(Question(NAMES[:1], layers=GIVEN['stroke']['layers'], min_score=0))
    assert [row[0] for row in both.table] == ['circle'] * 13  # the last is the object that was painted
    assert both.message == 'found 12 circle; 1 object(s) added or corrected'
    assert demo.undo().table == answer.table and demo.undo().table == []


def test_stuff_gives_every_pixel_a_name(demo, monkeypatch):
    """The session's map and segments, as objects."""
    ids = np.zeros(SHAPE, int)
    ids[:20], ids[30:50, 40:60] = 2, 5
    segments = [dict(id=5, name='star', score=0.75), dict(id=2, name='sky', score=0.5)]
    monkeypatch.setattr(demo.session, 'panoptic', lambda *asked: (ids, segments) if asked == (NAMES, STUFF) else None)
    answer = demo.run(Question(NAMES, stuff=STUFF))
    assert answer.table == [['star', 0.75, 40, 30, 60, 50], ['sky', 0.5, 0, 0, 90, 20]]
    assert answer.message == 'found 1 star, 1 sky'


def test_clicks(demo, glee):
    """Each is answered at once, by the pixel under it; the switch says whether it adds or takes away."""
    session = glee.open_image(picture())
    first = demo.click(*np.array((30.5, 20.5)) * VIEW.factor, CLICKS[0])
    found = session.add(points=[(30, 20)])
    assert first.message == f'object 1: score {found.score:.2f}, {found.area} px after 1 step(s)'
    again = demo.click(60.5 * VIEW.factor, 40.5 * VIEW.factor, CLICKS[1])
    found = session.refine(found.id, points=[(60, 40)])
    off = demo.click(0, 0, CLICKS[2])
    found = session.refine(found.id, points=[(0, 0, -1)])
    assert off.table[0][1] == round(found.score, 3) and np.array_equal(demo.session.results()[0].mask, found.mask)
    centre = off.picture[round(20.5 * VIEW.factor), round(30.5 * VIEW.factor)]
    assert np.abs(centre - (20, 170, 70.)).max() < 30  # the mark of the first click
    assert demo.undo().table == again.table and demo.undo().table == first.table
    demo.click(5, 5, CLICKS[0])
    assert [each.round for each in demo.session.results()] == [1, 1]
    demo.reset()
    assert 'no object yet' in demo.click(5, 5, CLICKS[2]).message and demo.session.results() == []


def test_a_preview_comes_before_the_exact_answer(demo, glee):
    """It is what the quick ways of a session find and changes nothing; what comes last is the click's own answer."""
    exact, quick = ImageDemo(glee), glee.open_image(picture(), first='shared', refine='decoder')
    exact.open(picture())
    found = quick.add(points=[(30, 20)])
    for place, meaning in (((30.5, 20.5), CLICKS[0]), ((60.5, 40.5), CLICKS[1])):
        if meaning == CLICKS[1]:  # the preview of a further click goes on from the exact answer before
            found = quick.refine(quick.resume(exact.session.last_round(0)), points=[(60, 40)])
        before = [each.round for each in demo.session.results()]
        answers = demo.clicks(*np.array(place) * VIEW.factor, meaning)
        preview = next(answers)
        assert preview.message == PREVIEW and [each.round for each in demo.session.results()] == before
        assert preview.table == [['object 1', round(found.score, 3), *np.round(found.box.tolist(), 1).tolist()]]
        last, = answers
        wanted = exact.click(*np.array(place) * VIEW.factor, meaning)
        assert (last.message, last.table) == (wanted.message, wanted.table)
        assert np.array_equal(last.picture, wanted.picture) and not np.array_equal(last.picture, preview.picture)
    assert demo.undo().message == TAKEN_BACK and [each.round for each in demo.session.results()] == [1]
    demo.run(Question(sentence='the red star', min_score=0))
    answer, = demo.clicks(5, 5, CLICKS[1])  # of an object with a sentence there is no quick answer
    assert answer.message.startswith('object 2: ')


@pytest.mark.parametrize('step', ['undo', 'reset', 'open', 'leave'])
def test_a_step_between_preview_and_answer(demo, step):
    """It takes the click with it; who leaves the page has not clicked."""
    demo.click(5, 5, CLICKS[0])
    answers = demo.clicks(30, 20, CLICKS[0])
    assert next(answers).message == PREVIEW
    if step == 'leave':
        answers.close()
    else:
        demo.open(picture(1)) if step == 'open' else getattr(demo, step)()
        assert [answer.message for answer in answers] == [TAKEN_BACK]
    assert len(demo.session.results()) == (step in ('undo', 'leave'))
    assert demo.undo().table == [] and demo.session.results() == []


MISSING = [
    ({}, re.escape(NOTHING_ASKED)),
    (dict(sentence='  ', layers=[layer()]), re.escape(NOTHING_ASKED)),
    (dict(layers=[layer((1, 1, 9, 9), colour=RED)]), 'Layer 1 has red strokes only'),
    (dict(layers=[np.zeros((5, 5, 4), np.uint8)]), 'the drawing belongs to another picture'),
    (dict(layers=GIVEN['stroke']['layers'], drawing='circle'), "drawing='circle' is unknown"),
    (dict(example=picture(3)), 'Paint the object on the example'),
    (dict(example=picture(3), example_layers=[layer((1, 1, 9, 9), colour=RED)]), 'Paint the object on the example'),
    (dict(names=NAMES, min_score=1.), 'found nothing'),
    (dict(GIVEN['example'], min_score=1.), 'nothing fits with a score of at least 1'),
]


@pytest.mark.parametrize('given, message', MISSING)
def test_what_is_missing_is_said_and_finds_nothing(demo, given, message):
    answer = demo.run(Question(**given))
    assert re.search(message, answer.message), answer.message
    assert answer.table == [] and demo.session.results() == []
    assert np.array_equal(answer.picture, VIEW.show(picture()))


def test_without_a_picture(glee, tmp_path):
    demo = ImageDemo(glee)
    for answer in (demo.run(Question(NAMES)), demo.click(1, 1, CLICKS[0])):
        assert (answer.message, answer.picture, answer.table) == (NO_PICTURE, None, [])
    assert (demo.undo().picture, demo.reset().picture, demo.save(tmp_path)) == (None, None, [])


def test_layers_are_objects_and_strokes_pile_up(demo, glee):
    """Two layers add two objects; a stroke in one refines that one; undo takes it back, its strokes count as new."""
    layers = [layer((20, 10, 40, 14)), layer((60, 40, 70, 44))]
    first = demo.run(Question(layers=layers))
    more = np.maximum(layers[1], layer((75, 40, 80, 50)))
    second = demo.run(Question(layers=[layers[0], more]))
    assert [each.round for each in demo.session.results()] == [1, 2] and len(second.table) == 2
    session = glee.open_image(picture())
    found = session.add(mask=region(60, 40, 70, 44), mask_kind='scribble')
    found = session.refine(found.id, mask=region(75, 40, 80, 50), mask_kind='scribble')
    assert np.array_equal(demo.session.results()[1].mask, found.mask)
    assert demo.run(Question(layers=[layers[0], more])).message == NOTHING_ASKED
    red = np.maximum(more, layer((5, 50, 9, 58), colour=RED))
    demo.run(Question(layers=[layers[0], red]))
    found = session.refine(found.id, points=[(x, y, -1) for x, y in cell_points(region(5, 50, 9, 58))])
    assert np.array_equal(demo.session.results()[1].mask, found.mask)
    assert demo.undo().table == second.table and demo.undo().table == first.table
    assert demo.run(Question(layers=[layers[0], more])).table == second.table


def test_another_picture_starts_anew(demo):
    demo.run(Question(NAMES, layers=GIVEN['stroke']['layers'], min_score=0))
    assert demo.open(picture(9)).table == [] and demo.undo().message == 'there is nothing to undo'


def test_saved_files(demo, score, tmp_path):
    """By name and by click: the JSON holds all, the PNG their numbers, the first on top."""
    demo.run(Question(NAMES, min_score=score))
    demo.click(30, 20, CLICKS[0])
    found, (rows, png, drawn) = demo.result(), demo.save(tmp_path)
    saved = json.loads(rows.read_text())['objects']
    assert [one['name'] for one in saved] == found.names and len(found) >= 2
    assert [one['mask'] for one in saved] == [dict(rle) for rle in found.rles]
    numbers, taken = np.asarray(Image.open(png)), np.zeros(SHAPE, bool)
    for number, rle in enumerate(found.rles, 1):
        assert np.array_equal(numbers == number, decode(rle) & ~taken)
        taken |= decode(rle)
    assert Image.open(drawn).size[0] >= SHAPE[1]


@pytest.mark.parametrize('shape', [(60, 90), (1, 1), (3000, 2000), (1, 70000), (1280, 5), (799, 801)])
def test_views(shape):
    """Every click lands in the picture, corners in corners, and what is shown is neither tiny nor huge."""
    view = View.of(shape)
    assert 640 < max(view.size) <= 1600
    height, width = view.size
    assert view.place(0, 0) == (0, 0) and view.place(width - 0.01, height - 0.01) == (shape[1] - 1, shape[0] - 1)
    assert view.place(-5, 1e6) == (0, shape[0] - 1)
    thin = np.zeros((*view.size, 4), np.uint8)
    thin[height // 2, width // 2] = GREEN
    positive, negative = view.strokes(thin)
    assert positive.shape == negative.shape == shape and not negative.any()
    row, column = np.argwhere(positive).mean(0)
    assert np.abs(np.array([column, row]) - view.place(width // 2, height // 2)).max() <= max(shape) / 1280


def test_a_view_shows_what_is_clicked_on():
    shown = VIEW.show(picture())
    for x, y in ((0, 0), (37, 411), (809, 539)):
        column, row = VIEW.place(x, y)
        assert np.array_equal(shown[y, x], picture()[row, column])


def test_large_pictures_are_drawn_small(glee):
    image = np.zeros((1000, 2000, 3), np.uint8)
    demo = ImageDemo(glee)
    mask = np.zeros((1000, 2000), bool)
    mask[200:600, 500:1500] = True
    demo.open(image)
    found = demo.result().__class__(None, mask.shape, ['box'], np.array([[500, 200, 1500, 600]], np.float32),
                                    np.ones(1, np.float32), [encode(mask)])
    drawn = View.of(image.shape).draw(image, found, {}, [0], 1)
    assert drawn.shape == (640, 1280, 3) and drawn[320, 640].any() and not drawn[500, 100].any()
    inside = drawn.any(-1)
    assert inside[135:380, 325:955].all() and not inside[400:, :].any()


def test_points_and_boxes_of_a_drawing():
    """Dots become points where they were painted, red ones negative; a box goes around everything painted."""
    positive = region(20, 10, 23, 13) | region(50, 30, 53, 33)
    negative = region(80, 50, 83, 53)
    assert prompt_of(positive, negative, 'points') == dict(points=[(21, 11, 1), (51, 31, 1), (81, 51, -1)])
    assert prompt_of(positive, negative & False, 'box') == dict(points=[], boxes=[(20, 10, 53, 33)])
    ring = region(10, 10, 31, 31) & ~region(12, 12, 29, 29)
    (x, y), = blob_points(ring)
    assert ring[y, x]  # the centre of a ring is not on it
    assert blob_points(ring & False) == cell_points(ring & False) == []


def test_negative_strokes_are_a_point_per_cell():
    """A stroke of 24 x 3 px over cells of 4 x 3 px: six points on it, one in each."""
    points = cell_points(region(40, 30, 64, 33))
    assert sorted(x // 4 for x, _ in points) == [10, 11, 12, 13, 14, 15] and {y // 3 for _, y in points} == {10}


def test_colours_of_strokes_and_names():
    rgba = np.zeros((1, 4, 4), np.uint8)
    rgba[0, :3] = (0, 190, 90, 128), (230, 40, 40, 128), (230, 40, 40, 20)
    positive, negative = read_strokes(rgba)
    assert positive.tolist() == [[True, False, False, False]] and negative.tolist() == [[False, True, False, False]]
    assert split_names(' cat, hot dog,,cat ') == ('cat', 'hot dog') and split_names(None) == ()
    assert counted(['b', 'a', 'b']) == '2 b, 1 a' and counted([]) == 'nothing'

"""The demo on pictures, without a page: every mode against the session, what is missing, rounds, undo, files."""
import json
import re

import cv2
import numpy as np
import pycocotools.mask as mask_utils
import pytest
from demo_image import DemoInput, ImageDemo
from demo_pictures import (
    blob_points,
    cell_points,
    colour_of,
    draw,
    prompt_of,
    read_image,
    read_strokes,
    split_names,
    write_video,
)
from mini_video import video_model
from PIL import Image

from projects.glee.apis import InteractiveSession, Transcript

SHAPE = (60, 90)
NAMES, STUFF = ('circle', 'star', 'ring'), ('sky', )
RED = (255, 0, 0)


@pytest.fixture(scope='module')
def glee():
    return video_model(dict(type='PromptTracker'))


@pytest.fixture
def demo(glee):
    return ImageDemo(glee, scale=(96, 64), transcriber=lambda audio: Transcript(f'ring {len(audio[0])}'))


def picture(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def layer(*rectangles, colour=(0, 192, 64)):
    """A transparent layer with painted (x1, y1, x2, y2)."""
    rgba = np.zeros((*SHAPE, 4), np.uint8)
    for x1, y1, x2, y2 in rectangles:
        rgba[y1:y2, x1:x2] = (*colour, 255)
    return rgba


def region(x1, y1, x2, y2):
    mask = np.zeros(SHAPE, bool)
    mask[y1:y2, x1:x2] = True
    return mask


FULL = DemoInput(
    picture(), [layer((20, 10, 40, 14))], example=picture(3), example_layers=[layer((10, 10, 50, 50))],
    text=' the red star ', audio=(np.ones(7, np.float32), 16000), names=NAMES, stuff=STUFF)


def replaced(**values):
    return DemoInput(**{**vars(FULL), **values})


def same(one, other):
    assert one.table == other.table
    assert len(one.pictures) == len(other.pictures) and all(map(np.array_equal, one.pictures, other.pictures))


@pytest.fixture
def session(glee):
    session = InteractiveSession(glee, scale=(96, 64))
    session.set_image(picture())
    return session


def reference(glee):
    session = InteractiveSession(glee, scale=(96, 64))
    session.set_image(picture(3))
    return session.encode_reference(mask=region(10, 10, 50, 50), mask_kind='scribble')


@pytest.mark.parametrize('modes', [('Stroke', ), ('Example', ), ('Text', ), ('Audio', ), ('Stroke', 'Text'),
                                   ('Stroke', 'Example', 'Audio'), ('Example', 'Text')])
def test_modes_are_prompts_of_the_session(demo, session, glee, modes):
    """The modes together are one object of the session: same name, score and box, and its mask in the picture."""
    answer = demo.run(modes, FULL)
    prompt = dict(Stroke=dict(mask=region(20, 10, 40, 14), mask_kind='scribble'), Text=dict(text='the red star'),
                  Audio=dict(text='ring 7'), Example=dict(reference=reference(glee)) if 'Example' in modes else {})
    found = session.add(**{key: value for mode in modes for key, value in prompt[mode].items()})
    (name, score, *box), = answer.table
    assert name == (found.text or session.label(found.id, NAMES)[0][0])
    assert score == pytest.approx(found.score, abs=1e-3) and box == pytest.approx(found.box.tolist(), abs=0.1)
    assert answer.picture.shape == (*SHAPE, 3) and answer.picture.dtype == np.uint8
    unnamed = draw(picture(), [found.mask], [''])
    written = (answer.picture != unnamed).any(-1)  # the name alone
    assert found.mask.any() and written.mean() < 0.5 and not np.array_equal(answer.picture, picture())


@pytest.mark.parametrize('modes', [(), ('Panoptic', )])
def test_no_mode_is_panoptic(demo, session, modes):
    answer = demo.run(modes, FULL)
    ids, segments = session.panoptic(NAMES, STUFF)
    assert [row[0] for row in answer.table] == [segment['name'] for segment in segments]
    assert answer.message == f'{len(segments)} segment(s)' and answer.picture.shape == (*SHAPE, 3)
    for row, segment in zip(answer.table, segments):
        y, x = np.nonzero(ids == segment['id'])
        assert row[1:] == [pytest.approx(segment['score'], abs=1e-3), x.min(), y.min(), x.max() + 1, y.max() + 1]
    assert demo.session.results() == []  # it adds no object


MISSING = [
    (('Stroke', ), dict(image=None), 'there is no picture'),
    ((), dict(image=None), 'there is no picture'),
    (('Stroke', ), dict(layers=[]), 'Stroke is selected, but nothing new is drawn'),
    (('Stroke', ), dict(layers=[layer()]), 'nothing new is drawn'),
    (('Stroke', ), dict(layers=[layer((1, 1, 9, 9), colour=RED)]), 'layer 1 has red strokes only'),
    (('Stroke', ), dict(layers=[np.zeros((5, 5, 4), np.uint8)]), r'layer 1 is \(5, 5, 4\)'),
    (('Stroke', ), dict(drawing='circle'), "drawing='circle' is unknown"),
    (('Example', ), dict(example=None), 'Example is selected, but there is no referring picture'),
    (('Example', ), dict(example_layers=[]), 'nothing is painted on the referring picture'),
    (('Example', ), dict(example_layers=[layer((1, 1, 9, 9), colour=RED)]), 'nothing is painted on the referring'),
    (('Text', ), dict(text=None), 'Text is selected, but the text box is empty'),
    (('Text', ), dict(text='  '), 'the text box is empty'),
    (('Audio', ), dict(audio=None), 'Audio is selected, but nothing was recorded'),
    (('Audio', ), dict(audio=(np.zeros(0), 16000)), 'nothing was recorded'),
    (('Audio', 'Text'), {}, 'choose one of them'),
    ((), dict(names=(), stuff=()), 'Panoptic is selected, but there are no names'),
    (('Panoptic', 'Text'), {}, 'goes without other modes'),
    (('Stroke', 'Text'), dict(layers=[], text=''), 'Stroke is selected, .*; Text is selected, '),
    (('Reason', ), {}, 'mode Reason is unknown'),
]


@pytest.mark.parametrize('modes, values, message', MISSING)
def test_what_is_missing_is_said_and_changes_nothing(demo, modes, values, message):
    answer = demo.run(modes, replaced(**values))
    assert re.search(message, answer.message), answer.message
    assert answer.table == [] and demo.session.results() == []
    assert (answer.picture is None) == ('image' in values)
    assert answer.picture is None or np.array_equal(answer.picture, picture())
    assert demo.undo().message == 'there is nothing to undo'


def test_audio_needs_the_folder_and_words(glee):
    assert 'without --whisper FOLDER' in ImageDemo(glee, scale=(96, 64)).run(('Audio', ), FULL).message

    def deaf(audio):
        raise ValueError('no words were understood in the audio')

    assert 'no words' in ImageDemo(glee, scale=(96, 64), transcriber=deaf).run(('Audio', ), FULL).message


def test_three_rounds_and_undo(demo, session):
    """Strokes pile up in the layer, each round takes the new ones; undo goes back exactly and forth again."""
    first = layer((20, 10, 40, 14))
    second = np.maximum(first, layer((50, 30, 60, 34)))
    third = np.maximum(second, layer((80, 50, 88, 58), colour=RED))
    answers = [demo.run(('Stroke', ), replaced(layers=[drawn])) for drawn in (first, second, third)]
    found = session.add(mask=region(20, 10, 40, 14), mask_kind='scribble')
    session.refine(found.id, mask=region(50, 30, 60, 34), mask_kind='scribble')
    found = session.refine(found.id, points=[(x, y, -1) for x, y in cell_points(region(80, 50, 88, 58))])
    assert answers[2].table[0][1] == round(found.score, 3) and found.round == 3
    assert np.array_equal(demo.session.results()[0].mask, found.mask)
    assert 'nothing new is drawn' in demo.run(('Stroke', ), replaced(layers=[third])).message
    same(demo.undo(), answers[1])
    same(demo.run(('Stroke', ), replaced(layers=[third])), answers[2])  # its strokes are new again
    same(demo.undo(), answers[1])
    same(demo.undo(), answers[0])
    gone = demo.undo()
    assert gone.table == [] and np.array_equal(gone.picture, picture())
    same(demo.run(('Stroke', ), replaced(layers=[first])), answers[0])


def test_a_layer_is_an_object(demo, session):
    """Two layers add two objects at once; a stroke in one refines that one; undo takes both back together."""
    layers = [layer((20, 10, 40, 14)), layer((60, 40, 70, 44))]
    demo.run(('Stroke', ), replaced(layers=layers))
    before = demo.session.results()
    more = np.maximum(layers[1], layer((75, 40, 80, 50)))
    answer = demo.run(('Stroke', ), replaced(layers=[layers[0], more]))
    after = demo.session.results()
    assert [each.round for each in after] == [1, 2] and after[0] is before[0] and len(answer.table) == 2
    demo.undo()
    assert demo.session.results() == before
    assert demo.undo().table == []


def test_find_without_strokes(demo, session):
    """All that fit, as the session finds them; a score that nothing has adds nothing."""
    answer = demo.run(('Text', ), FULL, top_k=3)
    found = session.find(3, text='the red star')
    assert [row[1] for row in answer.table] == [round(each.score, 3) for each in found]
    assert 'nothing fits' in demo.run(('Text', ), FULL, min_score=1.).message
    same(demo.undo(), demo.reset())


def test_reset_and_another_picture(demo):
    """Both forget the objects, and strokes count as new again."""
    answer = demo.run(('Stroke', ), FULL)
    assert demo.reset().table == [] and demo.session.results() == []
    assert demo.run(('Stroke', ), FULL).table == answer.table
    other = demo.run(('Stroke', ), replaced(image=picture(9)))
    assert len(other.table) == 1 and len(demo.session.results()) == 1
    assert demo.undo().table == []


def test_nothing_to_undo_reset_or_save(demo, tmp_path):
    assert (demo.undo().picture, demo.reset().picture, demo.save(tmp_path)) == (None, None, [])


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


def test_colours_of_strokes_and_kinds_of_pictures():
    rgba = np.zeros((1, 4, 4), np.uint8)
    rgba[0, :3] = (0, 192, 64, 255), (255, 0, 0, 255), (255, 0, 0, 60)
    positive, negative = read_strokes(rgba)
    assert positive.tolist() == [[True, False, False, False]] and negative.tolist() == [[False, True, False, False]]
    grey = np.array([[3, 200]], np.uint8)
    assert read_image(grey).tolist() == [[[3] * 3, [200] * 3]] and read_image(rgba).shape == (1, 4, 3)
    assert read_image(None) is None and read_image(np.zeros((0, 5, 3))) is None
    assert split_names(' cat, hot dog,,cat ') == ('cat', 'hot dog') and split_names(None) == ()


def test_drawn_pixels():
    """Half the colour inside, the outline in full, nothing outside; objects differ in colour, also the 256th."""
    image, mask = np.full((*SHAPE, 3), 100, np.uint8), region(20, 10, 40, 30)
    shown = draw(image, [mask, mask & False], ['', 'unseen'])
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3))).astype(bool)  # the outline is smooth
    assert (shown[~near] == 100).all() and (image == 100).all()
    np.testing.assert_allclose(shown[20, 30], (100 + np.array(colour_of(1))) / 2, atol=1)
    assert np.abs(shown[10, 30].astype(int) - colour_of(1)).max() < 40
    assert len({colour_of(number) for number in range(1, 256)}) == 255 and colour_of(256) == colour_of(1)
    assert not np.array_equal(draw(image, [mask], ['x']), draw(image, [mask], ['']))


def test_saved_masks(demo, tmp_path):
    demo.run(('Stroke', ), replaced(layers=[layer((20, 10, 40, 14)), layer((60, 40, 70, 44))]))
    png, rows = demo.save(tmp_path)
    numbers = np.asarray(Image.open(png))
    for number, each in enumerate(demo.session.results(exclusive=True), 1):
        assert np.array_equal(numbers == number, each.mask)
    rows = json.loads(rows.read_text())
    assert len(rows) == 2
    for row, each in zip(rows, demo.session.results()):
        assert np.array_equal(mask_utils.decode(row['segmentation']).astype(bool), each.mask)
        x, y, width, height = row['bbox']
        assert [x, y, x + width, y + height] == pytest.approx(each.box.tolist(), abs=0.05)
        assert row['name'] in NAMES and row['score'] == pytest.approx(each.score, abs=1e-5)


def test_video_files_can_be_read_back(tmp_path):
    """Frames of two sizes; colours survive, red stays red."""
    pictures = [np.full((*SHAPE, 3), (200, 20 * i, 30), np.uint8) for i in range(4)] + [np.zeros((30, 50, 3), np.uint8)]
    capture = cv2.VideoCapture(str(write_video(pictures, tmp_path / 'x.webm', 5)))
    read = []
    while (frame := capture.read())[0]:
        read.append(frame[1][..., ::-1])
    assert len(read) == 5 and all(frame.shape == (*SHAPE, 3) for frame in read)
    assert all(np.abs(frame.mean((0, 1)) - wanted.mean((0, 1))).max() < 12 for frame, wanted in zip(read, pictures))

"""The demo on videos, without a page: frames, clicks and tracks as the session and the inferencer have them."""
import json

import cv2
import numpy as np
import pytest
from demo_image import CLICKS, Question
from demo_model import drawing, tiny_glee
from demo_pictures import View
from demo_video import NO_VIDEO, NOTHING_ASKED, VideoDemo

from projects.glee.visualization.video_writer import VideoWriter
from projects.glee_cli.serving.limits import Limits
from projects.glee_cli.serving.turns import Turns
from projects.glee_cli.serving.uploads import ShortVideo

SHAPE = (64, 96)
VIEW = View.of(SHAPE)
SCORE = 0.44


@pytest.fixture(scope='module')
def glee():
    return tiny_glee()


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    """Four frames of coloured clouds that move right."""
    path = tmp_path_factory.mktemp('video') / 'a.mp4'
    noise = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    picture = cv2.resize(noise, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)
    writer = VideoWriter(path, 8)
    for number in range(4):
        writer.write(np.roll(picture, 8 * number, 1))
    writer.close()
    return path


@pytest.fixture
def demo(glee, path):
    demo = VideoDemo(glee)
    demo.open(ShortVideo(path, Limits()))
    return demo


def at(x, y):
    """Px of what is shown."""
    return (x + 0.5) * VIEW.factor, (y + 0.5) * VIEW.factor


def tracked(demo, folder, **given):
    """Rows of the JSON file that ``track`` writes, its message, and the progress that was shown."""
    steps = []
    done = demo.track(Question(**given), folder, lambda share, doing: steps.append((share, doing)), Turns().each)
    assert steps == sorted(steps, key=lambda step: step[0]) and steps[-1] == (1., 'frame 4 of 4')
    capture = cv2.VideoCapture(str(done.video))
    sizes = [frame.shape for _, frame in iter(capture.read, (False, None))]
    assert sizes == [(320, 480, 3)] * 4  # enlarged, for names that can be read
    return json.loads(done.json.read_text()), done.message


def rows(results):
    return [[(int(identity), dict(rle)) for identity, rle in zip(result.ids, result.rles)] for result in results]


def rows_of_file(frames):
    return [[(one['id'], one['mask']) for one in frame['objects']] for frame in frames]


def test_clicks_are_answered_and_followed(demo, glee, path, tmp_path):
    """On any frame; a correction holds for the object of the last click; reset forgets them."""
    session = glee.open_video(str(path), min_score=0.)
    assert demo.last_frame == 3 and np.array_equal(demo.show(2).picture.shape, (*VIEW.size, 3))
    first = session.add(1, points=[(25, 30)])
    answer = demo.click(1, *at(25, 30), CLICKS[0])
    assert answer.message == f'object 1 on frame 1: score {first.score:.2f}, {first.area} px. Press Track.'
    assert [row[0] for row in answer.table] == session.result(1).names
    session.refine(first.id, 3, points=[(50, 30)])
    demo.click(3, *at(50, 30), CLICKS[1])
    session.refine(first.id, 3, points=[(5, 5, -1)])
    demo.click(3, *at(5, 5), CLICKS[2])
    frames, message = tracked(demo, tmp_path, min_score=0.)
    list(session.track())
    assert rows_of_file(frames) == rows(session.result(frame) for frame in range(4)) and any(rows_of_file(frames))
    assert message == '1 object(s) in 4 frames'
    assert demo.reset(0).table == [] and demo.track(Question(), tmp_path, print).message == NOTHING_ASKED
    assert 'no object yet' in demo.click(0, 1, 1, CLICKS[2]).message


def test_names_sentence_and_example(demo, glee, path, tmp_path):
    """As the inferencer follows them; all together with a click, each object has a number of its own."""
    frames, _ = tracked(demo, tmp_path, names=('star', ), min_score=SCORE)
    assert rows_of_file(frames) == rows(glee.track(str(path), names='star', score_thr=SCORE)) and any(
        rows_of_file(frames))
    frames, _ = tracked(demo, tmp_path, sentence=' the square ', min_score=0.)
    assert rows_of_file(frames) == rows(glee.track(str(path), expressions='the square', score_thr=0.))
    image = np.random.default_rng(3).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
    example = dict(example=image, drawing='box', example_layers=[
        drawing(VIEW.size, np.array((10, 20, 30, 40)) * VIEW.factor)])
    frames, _ = tracked(demo, tmp_path, min_score=0.1, **example)
    assert rows_of_file(frames) == rows(glee.track(
        str(path), reference=dict(image=image, boxes=[(10, 20, 30, 40)]), score_thr=0.1))
    demo.click(0, *at(20, 30), CLICKS[0])
    frames, message = tracked(demo, tmp_path, names=('star', ), min_score=SCORE)
    names = {one['id']: one['name'] for frame in frames for one in frame['objects']}
    assert set(names.values()) == {'star', 'object'} and message == f'{len(names)} object(s) in 4 frames'


def test_without_a_video(glee, tmp_path):
    demo = VideoDemo(glee)
    for answer in (demo.show(0), demo.click(0, 1, 1, CLICKS[0]), demo.reset(0),
                   demo.track(Question(), tmp_path, print)):
        assert answer.message == NO_VIDEO
    assert demo.last_frame == 0


def test_a_video_without_readable_frames(glee, tmp_path):
    """What was asked is answered in words."""
    for number in range(2):
        (tmp_path / f'{number}.png').write_bytes(b'no picture')
    demo = VideoDemo(glee)
    assert 'frame 0' in demo.open(ShortVideo(tmp_path, Limits(), 'mine')).message or demo.video is not None
    for answer in (demo.show(1), demo.click(0, 1, 1, CLICKS[0]),
                   demo.track(Question(('star', )), tmp_path, lambda *_: None)):
        assert answer.message and str(tmp_path) not in answer.message

"""The demo on videos, without a page: a reference, and objects that are painted, followed and corrected."""
import numpy as np
import pytest
from demo_image import DemoInput
from demo_video import ReferenceDemo, ShortVideo, VideoDemo
from mini_video import video_model
from PIL import Image

from projects.glee.apis import InteractiveSession, Transcript, VideoSession, track_reference

SHAPE = (64, 96)
SCALE = dict(scale=(96, 64))


@pytest.fixture(scope='module')
def glee():
    return video_model(dict(type='PromptTracker'))


def frames(length=3):
    """A bright square that moves right over noise, uint8 RGB."""
    video = np.random.default_rng(0).integers(0, 60, (length, *SHAPE, 3), dtype=np.uint8)
    for i, frame in enumerate(video):
        frame[20:40, 10 + 8 * i:30 + 8 * i] = 250
    return video


def layer(x1, y1, x2, y2, colour=(0, 192, 64)):
    rgba = np.zeros((*SHAPE, 4), np.uint8)
    rgba[y1:y2, x1:x2] = (*colour, 255)
    return rgba


def region(x1, y1, x2, y2):
    return layer(x1, y1, x2, y2)[..., 3] > 0


EXAMPLE = DemoInput(example=frames()[0], example_layers=[layer(10, 20, 30, 40)], drawing='box')


def test_a_reference_is_followed(glee):
    """The rows are the results of ``track_reference``, the pictures one per frame."""
    answer = ReferenceDemo(glee, **SCALE).run(EXAMPLE, frames(), 'prev')
    session = InteractiveSession(glee, **SCALE)
    session.set_image(frames()[0])
    reference = session.encode_reference(boxes=[(10, 20, 30, 40)])
    found = list(track_reference(session, frames(), reference, 'prev'))
    assert [row[0] for row in answer.table] == [index for index, each in enumerate(found) if each is not None]
    assert [row[2] for row in answer.table] == [round(each.score, 3) for each in found if each is not None]
    assert [picture.shape for picture in answer.pictures] == [(*SHAPE, 3)] * 3 and answer.table
    none = ReferenceDemo(glee, **SCALE).run(EXAMPLE, frames(), min_score=1.)
    assert none.table == [] and np.array_equal(none.pictures, frames())


@pytest.mark.parametrize('given, video, message', [
    (DemoInput(), frames(), 'there is no referring picture'),
    (DemoInput(example=frames()[0]), frames(), 'nothing is painted'),
    (EXAMPLE, None, 'there is no video'),
    (EXAMPLE, [], 'there is no video'),
    (EXAMPLE, 'nowhere.mp4', 'nowhere.mp4'),
])
def test_a_reference_without_its_input(glee, given, video, message):
    answer = ReferenceDemo(glee, **SCALE).run(given, video)
    assert message in answer.message and answer.pictures == answer.table == []


def test_objects_are_painted_followed_and_corrected(glee):
    """As with a ``VideoSession``: layers are objects, on other frames too; reset forgets them."""
    demo, session = VideoDemo(glee, **SCALE), VideoSession(glee, **SCALE)
    session.open(frames())
    opened = demo.open(frames())
    assert np.array_equal(opened.picture, frames()[0]) and demo.last_frame == 2
    added = demo.prompt(('Stroke', ), DemoInput(layers=[layer(12, 22, 28, 38), layer(60, 5, 80, 10)]))
    found = [session.add(0, mask=region(*sides), mask_kind='scribble') for sides in ((12, 22, 28, 38), (60, 5, 80, 10))]
    assert [row[:3] for row in added.table] == [[0, f'object {each.id}', round(each.score, 3)]
                                                for each in found if each.mask.any()]
    list(session.track())
    tracked = demo.track()
    assert len(tracked.pictures) == 3 and all(picture.shape == (*SHAPE, 3) for picture in tracked.pictures)
    assert {row[0] for row in tracked.table} == {
        frame for frame in range(3) if any(session.mask(each.id, frame).any() for each in found)}
    for frame, name, score, *_ in tracked.table:
        assert score == round(session.score(int(name.split()[1]), frame), 3)
    # a correction of the second object on the last frame
    assert np.array_equal(demo.show(2).picture, frames()[2])
    demo.prompt(('Stroke', ), DemoInput(layers=[layer(0, 0, 0, 0), layer(60, 5, 80, 10)]))
    session.refine(found[1].id, 2, mask=region(60, 5, 80, 10), mask_kind='scribble')
    demo.track()
    list(session.track())
    assert all(np.array_equal(demo.session.mask(each.id, frame), session.mask(each.id, frame))
               for each in found for frame in range(3))
    empty = demo.reset()
    assert empty.table == [] and np.array_equal(empty.picture, frames()[2])
    assert 'there is no object' in demo.track().message


def test_objects_by_text_and_example(glee):
    """Each press adds one, named by its phrase; strokes are not needed."""
    demo = VideoDemo(glee, transcriber=lambda audio: Transcript('ring'), vocabulary=('star', 'ring'), **SCALE)
    demo.open(frames())
    given = DemoInput(text='the square', audio=(np.ones(4, np.float32), 16000), example=frames()[0],
                      example_layers=EXAMPLE.example_layers)
    for modes in (('Text', ), ('Audio', ), ('Example', )):
        assert '1 object(s)' in demo.prompt(modes, given).message
    names = list(demo._known.values())
    assert names[:2] == ['the square', 'ring'] and names[2] in ('star', 'ring')
    assert len(demo.track().pictures) == 3


@pytest.mark.parametrize('modes, given, message', [
    ((), DemoInput(), 'select at least one of Stroke'),
    (('Panoptic', ), DemoInput(), 'select at least one of Stroke'),
    (('Stroke', ), DemoInput(), 'nothing new is drawn'),
    (('Stroke', ), DemoInput(layers=[layer(1, 1, 9, 9, (255, 0, 0))]), 'layer 1 has red strokes only'),
    (('Text', ), DemoInput(), 'the text box is empty'),
    (('Audio', ), DemoInput(), 'without --whisper FOLDER'),
    (('Example', ), DemoInput(), 'there is no referring picture'),
])
def test_what_is_missing_is_said(glee, modes, given, message):
    demo = VideoDemo(glee, **SCALE)
    for answer in (demo.prompt(modes, given), demo.track(), demo.reset(), demo.show(1), demo.open(None)):
        assert answer.message.startswith('there is no video') and answer.picture is None
    demo.open(frames())
    answer = demo.prompt(modes, given)
    assert message in answer.message and answer.table == [] and np.array_equal(answer.picture, frames()[0])
    assert 'there is no object' in demo.track().message


def test_files_that_are_no_videos(glee, tmp_path):
    (tmp_path / 'x.mp4').write_bytes(b'nothing')
    demo = VideoDemo(glee, **SCALE)
    assert 'x.mp4' in demo.open(str(tmp_path / 'x.mp4')).message
    assert 'nowhere.mp4' in demo.open(str(tmp_path / 'nowhere.mp4')).message
    (tmp_path / 'empty').mkdir()
    assert 'empty has no frame' in demo.open(tmp_path / 'empty').message


def test_long_and_large_videos_are_cut_and_shrunk(tmp_path):
    """Of five frames of 40 x 60 px the first three, at 20 x 30; an unreadable one is black, of the same size."""
    for i in range(5):
        Image.fromarray(np.full((40, 60, 3), 50 + i, np.uint8)).save(tmp_path / f'{i}.png')
    video = ShortVideo(tmp_path, max_frames=3, max_side=30)
    assert (len(video), video.left_out, video.fps) == (3, 2, 10)
    assert [frame.tolist() for frame in video] == [np.full((20, 30, 3), 50 + i).tolist() for i in range(3)]
    (tmp_path / '1.png').write_bytes(b'no picture')
    assert video.picture(0).any() and video.picture(1).shape == (20, 30, 3) and not video.picture(1).any()
    assert 'the last 2 frames were left out' in video.note() and ShortVideo(tmp_path).note() == ''

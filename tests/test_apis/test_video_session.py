"""A session on a video: any frame, both directions, corrections, live frames."""
from dataclasses import replace

import cv2
import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from logs import captured_log
from mini_video import video_model
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from PIL import Image

from projects.glee.apis import FrameReader, InteractiveSession, VideoSession, camera_frames
from projects.glee.models.trackers import PromptTracker
from projects.glee.structures import encode_mask
from projects.glee.structures.masks import empty_mask

SHAPE = (64, 96)


@pytest.fixture(scope='module')
def model():
    return video_model(dict(type='PromptTracker'))


def video(length=5):
    """A bright square that moves right over noise, uint8 RGB frames."""
    frames = np.random.default_rng(0).integers(0, 60, (length, *SHAPE, 3), dtype=np.uint8)
    for i, frame in enumerate(frames):
        frame[20:40, 10 + 8 * i:30 + 8 * i] = 250
    return frames


@pytest.fixture
def session(model):
    session = VideoSession(model, scale=(96, 64))
    assert session.open(video()) == 5
    return session


def snapshot(session, object_id):
    return [session.mask(object_id, frame) for frame in range(5)]


PROMPTS = dict(
    point=dict(points=[(30, 30)]), box=dict(boxes=[(26, 20, 46, 40)]), scribble=dict(scribbles=[[(28, 24), (44, 36)]]),
    expression=dict(text='the bright square'), reference={},
    together=dict(points=[(30, 30), (5, 5, -1)], text='the bright square'))


@pytest.mark.parametrize('kind', PROMPTS)
def test_objects_are_followed_both_ways_from_any_frame(session, model, kind):
    """Any prompt of a picture; every frame gets a mask; the prompted frame keeps what the user saw."""
    image, prompt = InteractiveSession(model, scale=(96, 64)), PROMPTS[kind]
    if kind == 'reference':
        image.set_image(video()[0])
        prompt = dict(reference=image.encode_reference(boxes=[(10, 20, 30, 40)]))
    found = session.add(2, **prompt)
    image.set_image(video()[2])
    assert np.array_equal(found.mask, image.add(**prompt).mask) and found.text == prompt.get('text')
    with pytest.raises(KeyError, match='not been tracked in frame 0'):
        session.mask(found.id, 0)
    assert list(session.track()) == [2, 3, 4, 1, 0]
    masks = snapshot(session, found.id)
    assert np.array_equal(masks[2], found.mask) and all(mask.shape == SHAPE for mask in masks)


@torch.no_grad()
@pytest.mark.parametrize('start, order', [(1, range(1, 5)), (3, range(3, -1, -1))])
def test_masks_are_those_of_the_tracker(session, model, start, order):
    """The same as giving the mask to a ``PromptTracker`` by hand, over the frames to the end or reversed ones."""
    found = session.add(start, boxes=[(10 + 8 * start, 20, 30 + 8 * start, 40)])
    list(session.track())
    tracker = PromptTracker()
    for frame in order:
        sample = DetDataSample(metainfo=dict(text=('object', ), text_mode='category', ori_shape=SHAPE, img_shape=SHAPE))
        if frame == start:
            mask = torch.from_numpy(found.mask)[None]
            sample.prompts = InstanceData(masks=mask, neg_masks=mask & False, kinds=['mask'],
                                          object_ids=torch.zeros(1, dtype=torch.long))
        inputs = torch.from_numpy(video()[frame][..., ::-1].transpose(2, 0, 1).copy())
        batch = model.data_preprocessor(dict(inputs=[inputs], data_samples=[sample]), False)
        tracker.update(model, batch['inputs'], batch['data_samples'])
    masks = tracker.finish(model)[0].segmentations
    assert any(rle is not None for rle in masks[1:])
    for frame, rle in list(zip(order, masks, strict=True))[1:]:
        assert np.array_equal(session.mask(1, frame), np.zeros(SHAPE, bool) if rle is None else _decode(rle))


def _decode(rle):
    return mask_utils.decode(rle).astype(bool)


def test_a_correction_holds_from_its_frame_on(session):
    """Frames before the correction stay as they were; its own frame shows the corrected mask."""
    session.add(0, points=[(20, 30)])
    list(session.track())
    before = snapshot(session, 1)
    corrected = session.refine(1, 3, mask=np.pad(np.ones((20, 20)), ((20, 24), (60, 16))))
    list(session.track())
    after = snapshot(session, 1)
    assert all(np.array_equal(before[frame], after[frame]) for frame in range(3))
    assert np.array_equal(after[3], corrected.mask)
    with pytest.raises(KeyError, match='no object 9'):
        session.refine(9, 0, points=[(1, 1)])


def test_a_negative_point_alone_corrects_what_was_tracked(model):
    """The mask of the later frame is the prompt, the point says where it is wrong."""
    session = VideoSession(model, scale=(96, 64), carve_radius=0.05)
    session.open(video())
    found = session.add(0, boxes=[(10, 20, 30, 40)])
    with pytest.raises(ValueError, match='negative points only'):
        session.refine(found.id, 3, points=[(50, 30, -1)])
    list(session.track())
    frame = next(frame for frame in range(1, 5) if session.mask(found.id, frame).any())
    y, x = np.argwhere(session.mask(found.id, frame))[0]
    assert not session.refine(found.id, frame, points=[(x, y, -1)]).mask[y, x]


def test_a_negative_point_alone_leaves_the_other_frames_as_they_were(session):
    """It does not say where the object is, so nothing is tracked from it."""
    session.add(0, boxes=[(10, 20, 30, 40)])
    list(session.track())
    before = snapshot(session, 1)
    corrected = session.refine(1, 2, points=[(50, 30, -1)]).mask
    list(session.track())
    after = snapshot(session, 1)
    assert np.array_equal(after[2], corrected)
    assert all(np.array_equal(before[frame], after[frame]) for frame in (0, 1, 3, 4))


@pytest.mark.parametrize('left, lost', [(0, True), (14, False)])
def test_a_click_far_from_the_tracked_mask_starts_anew(session, model, left, lost):
    """A square of 20 px that ends 17 or 3 px left of the pixels of the point; half its size is 10 px."""
    click, image = dict(points=[(38, 30)]), InteractiveSession(model, scale=(96, 64))
    image.set_image(video()[3])
    tracked = np.zeros(SHAPE, bool)
    tracked[20:40, left:left + 20] = True
    session.add(0, points=[(20, 30)])
    list(session.track())
    session._objects[1].seen[3] = session._objects[1].seen[3]._replace(rle=encode_mask(tracked))
    found = session.refine(1, 3, **click)
    wanted = image.add(**click) if lost else image.refine(image.add(mask=tracked).id, **click)
    assert np.array_equal(found.logits, wanted.logits)


def test_an_object_whose_first_mask_is_empty_is_in_no_frame(session, monkeypatch):
    """It does not disturb others, and a later prompt starts it."""
    lonely = VideoSession(session.model, scale=(96, 64))
    lonely.open(video())
    lonely.add(1, boxes=[(18, 20, 38, 40)])
    list(lonely.track())
    session.add(1, boxes=[(18, 20, 38, 40)])
    answer = session.image.add_prompts
    monkeypatch.setattr(session.image, 'add_prompts', lambda prompts: [
        replace(found, rle=empty_mask(*SHAPE)) for found in answer(prompts)])
    assert not session.add(2, text='nothing at all').mask.any()
    monkeypatch.undo()
    list(session.track())
    assert not any(mask.any() for mask in snapshot(session, 2))
    assert all(np.array_equal(one, other) for one, other in zip(snapshot(session, 1), snapshot(lonely, 1)))
    session.refine(2, 3, boxes=[(60, 45, 90, 60)])
    list(session.track())
    assert [mask.any() for mask in snapshot(session, 2)][:3] == [False] * 3
    assert session.mask(2, 3).any()


@pytest.mark.parametrize('seed', range(3))
def test_two_objects_from_different_frames(seed):
    """Each is followed to both ends and they never share a pixel after both are known.

    That is frame 3 and later on the way forward, frame 1 and earlier on the way back; in frame 2 each is alone. Random
    weights are sure of almost every pixel, but not as sure as the user.
    """
    session = VideoSession(video_model(dict(type='PromptTracker'), seed), scale=(96, 64))
    session.open(video())
    session.add(1, points=[(25, 30)])
    session.add(3, points=[(80, 8)])
    list(session.track())
    both = [[session.mask(number, frame) for number in (1, 2)] for frame in (0, 1, 3, 4)]
    assert all(mask.shape == SHAPE for masks in both for mask in masks)
    assert not any((first & second).any() for first, second in both)
    assert all(any(masks[number].any() for masks in both) for number in (0, 1))


def test_errors_name_what_is_missing(session, model, tmp_path):
    """No video, no object, no frame; a refused prompt leaves no object behind."""
    with pytest.raises(RuntimeError, match='call open first'):
        VideoSession(model, scale=(96, 64)).add(0, points=[(1, 1)])
    with pytest.raises(RuntimeError, match='call add first'):
        list(session.track())
    with pytest.raises(ValueError):
        session.add(0, points=[(1000, 1)])
    assert session.add(0, points=[(20, 30)]).id == 1 and list(session._objects) == [1]
    with pytest.raises(ValueError, match='no frame'):
        FrameReader(tmp_path)


def test_frames_of_folders_files_and_lists_agree(tmp_path):
    """Folder pictures in the order of their names, RGB."""
    frames = video(3)
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f'{i:03d}.png')
    folder, arrays = FrameReader(tmp_path), FrameReader(frames)
    assert len(folder) == len(arrays) == 3
    assert all(np.array_equal(folder[i], arrays[i]) for i in range(3))


def test_live_frames_keep_nothing(model):
    """Objects may be added between frames; the tracker's lists stay empty."""
    session, prompts, shown = VideoSession(model, scale=(96, 64)), {}, []
    mask = np.zeros(SHAPE, bool)
    mask[20:40, 10:30] = True
    prompts[4] = mask
    for number, masks in enumerate(session.live(iter(video(4)), prompts)):
        shown.append(sorted(masks))
        assert not prompts and all(m.shape == SHAPE for m in masks.values())
        if number == 1:
            prompts[8] = ~mask
    assert shown == [[4], [4], [4, 8], [4, 8]]


def write_avi(path, frames):
    """Frames (T, H, W, 3) RGB as MJPG; returns them as OpenCV reads them one after the other."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5, SHAPE[::-1])
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    capture, read = cv2.VideoCapture(str(path)), []
    while (found := capture.read())[0]:
        read.append(found[1][..., ::-1])
    return read


def test_a_video_file_is_read_in_any_order_and_live(model, tmp_path):
    """RGB frames of an .avi by index, near to what was written; ``live`` gives what it gives for arrays."""
    red = np.full((4, *SHAPE, 3), 20, np.uint8)
    for i, frame in enumerate(red):
        frame[20:40, 10 + 8 * i:30 + 8 * i] = (240, 20, 20)
    decoded = write_avi(tmp_path / 'red.avi', red)
    reader = FrameReader(tmp_path / 'red.avi')
    assert len(reader) == len(decoded) == 4
    for index in (2, 0, 3, 1, 1):
        assert reader[index].dtype == np.uint8 and np.array_equal(reader[index], decoded[index])
        centre = reader[index][24:36, 14 + 8 * index:26 + 8 * index].mean((0, 1))
        assert np.abs(centre - (240, 20, 20)).max() < 12
    mask = np.zeros(SHAPE, bool)
    mask[20:40, 10:30] = True
    session = VideoSession(model, scale=(96, 64))
    shown = [[masks[1] for masks in session.live(iter(frames), {1: mask})] for frames in (reader, decoded)]
    assert len(shown[0]) == 4 and np.array_equal(*shown)


class Camera:
    """``cv2.VideoCapture`` of two frames, of which the second cannot be had from camera 1."""

    def __init__(self, index):
        self.frames = [np.full((4, 6, 3), (10, 20, 30 + i), np.uint8) for i in range(2)]  # BGR
        self.index, self.released = index, False
        Camera.last = self

    def isOpened(self):  # noqa: N802
        return self.index != 9

    def read(self):
        return (True, self.frames.pop(0)) if len(self.frames) > self.index else (False, None)

    def release(self):
        self.released = True


def test_camera_frames_are_rgb_and_the_camera_is_released(monkeypatch):
    """At the end, when the caller stops early, and not without a camera."""
    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    frames = list(camera_frames())
    assert [frame[0, 0].tolist() for frame in frames] == [[30, 20, 10], [31, 20, 10]]
    assert all(frame.flags.c_contiguous for frame in frames) and Camera.last.released
    assert len(list(camera_frames(1))) == 1
    early = camera_frames()
    next(early)
    assert not Camera.last.released
    early.close()
    assert Camera.last.released
    with pytest.raises(ValueError, match='camera 9'):
        next(camera_frames(9))


def test_frames_that_cannot_be_read_and_of_another_size_do_not_end_the_tracking(model, tmp_path):
    """The one is black, logged by name once and counted; the other is tracked at its own size."""
    frames = list(video())
    frames[1], frames[3] = np.zeros_like(frames[1]), np.full((80, 100, 3), 90, np.uint8)
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f'{i:03d}.png')
    expected, session = VideoSession(model, scale=(96, 64)), VideoSession(model, scale=(96, 64))
    expected.open(tmp_path)
    session.open(tmp_path)
    for each in (expected, session):
        each.add(0, points=[(20, 30)])
    list(expected.track())
    (tmp_path / '001.png').write_bytes(b'no picture')
    with captured_log() as messages:
        assert list(session.track()) == list(session.track()) == [0, 1, 2, 3, 4]
    assert [message for message in messages if 'black' in message] == [
        f'frame 1, {tmp_path}/001.png, cannot be read; a black frame of (64, 96) takes its place (1 so far)']
    assert session.unreadable == {1} and expected.unreadable == set()
    for frame in range(5):
        assert np.array_equal(session.mask(1, frame), expected.mask(1, frame))
        assert session.mask(1, frame).shape == ((80, 100) if frame == 3 else SHAPE)
    with pytest.raises(ValueError, match='001.png, cannot be read'):
        session.add(1, points=[(20, 30)])
    assert session.open(tmp_path) == 5 and session.unreadable == set()
    with pytest.raises(ValueError, match='001.png, cannot be read'):
        session.result(1)  # before any frame is known a black one would have no size

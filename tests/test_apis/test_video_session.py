"""A session on a video: any frame, both directions, corrections, live frames."""
import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from PIL import Image
from video_fixtures import video_model

from projects.glee.apis import FrameReader, InteractiveSession, VideoSession
from projects.glee.models.trackers import PromptTracker, encode_mask

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


def test_objects_are_followed_both_ways_from_any_frame(session):
    """Every frame gets a mask; the prompted frame keeps what the user saw."""
    found = session.add(2, points=[(30, 30)])
    with pytest.raises(KeyError, match='not been tracked in frame 0'):
        session.mask(found.id, 0)
    assert list(session.track()) == [2, 3, 4, 1, 0]
    masks = snapshot(session, found.id)
    assert np.array_equal(masks[2], found.mask) and all(mask.shape == SHAPE for mask in masks)


@torch.no_grad()
def test_forward_masks_are_those_of_the_tracker(session, model):
    """The same as giving the mask to a ``PromptTracker`` by hand."""
    found = session.add(1, boxes=[(18, 20, 38, 40)])
    list(session.track())
    tracker = PromptTracker()
    for frame in range(1, 5):
        sample = DetDataSample(metainfo=dict(text=('object', ), text_mode='category', ori_shape=SHAPE, img_shape=SHAPE))
        if frame == 1:
            mask = torch.from_numpy(found.mask)[None]
            sample.prompts = InstanceData(masks=mask, neg_masks=mask & False, kinds=['mask'],
                                          object_ids=torch.zeros(1, dtype=torch.long))
        inputs = torch.from_numpy(video()[frame][..., ::-1].transpose(2, 0, 1).copy())
        batch = model.data_preprocessor(dict(inputs=[inputs], data_samples=[sample]), False)
        tracker.update(model, batch['inputs'], batch['data_samples'])
    masks = tracker.finish(model)[0].segmentations
    for frame in range(2, 5):
        expected = np.zeros(SHAPE, bool) if masks[frame - 1] is None else _decode(masks[frame - 1])
        assert np.array_equal(session.mask(1, frame), expected)


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
    session._masks[1][3] = encode_mask(tracked)
    found = session.refine(1, 3, **click)
    wanted = image.add(**click) if lost else image.refine(image.add(mask=tracked).id, **click)
    assert np.array_equal(found.logits, wanted.logits)


def test_two_objects_from_different_frames(session):
    """Each is followed to both ends and they never share a pixel after both are known."""
    session.add(1, points=[(25, 30)])
    session.add(3, points=[(80, 8)])
    list(session.track())
    for frame in range(4, 5):
        assert not (session.mask(1, frame) & session.mask(2, frame)).any()
    assert all(session.mask(2, frame).shape == SHAPE for frame in range(5))


def test_errors_name_what_is_missing(session, model, tmp_path):
    """No video, no object, no frame; a refused prompt leaves no object behind."""
    with pytest.raises(RuntimeError, match='call open first'):
        VideoSession(model).add(0, points=[(1, 1)])
    with pytest.raises(RuntimeError, match='call add first'):
        list(session.track())
    with pytest.raises(ValueError):
        session.add(0, points=[(1000, 1)])
    assert session.add(0, points=[(20, 30)]).mask.shape == SHAPE and list(session._given) == [1]
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

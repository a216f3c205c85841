"""Objects followed through videos: against linking by hand, in every form of file, with named errors."""
import csv
import json

import cv2
import numpy as np
import pytest
import torch
from config_runs import load
from PIL import Image

from projects.glee.apis import GLEEInferencer, InteractiveSession, track_reference
from projects.glee.apis.followers import prepare
from projects.glee.apis.frame_reader import FrameReader, open_frames
from projects.glee.apis.image_result import ImageResult
from projects.glee.apis.track_writers import MaskTracks
from projects.glee.apis.tracked_video import TrackedVideo
from projects.glee.models.trackers.minvis_tracker import QueryLinker
from projects.glee.structures.masks import decode, encode

NAMES = ('star', 'ring')


@pytest.fixture(scope='module')
def glee(tmp_path_factory):
    cfg = load('glee_mini_coco', tmp_path_factory.mktemp('work'))
    torch.manual_seed(0)
    return GLEEInferencer(cfg, device='cpu', score_thr=0.)


def frames(count=4, shape=(60, 90)):
    """A bright square that moves over noise."""
    noise = np.random.default_rng(0).integers(0, 100, (*shape, 3), dtype=np.uint8)
    found = []
    for number in range(count):
        frame = noise.copy()
        frame[20:40, 10 + 8 * number:30 + 8 * number] = (250, 40, 40)
        found.append(frame)
    return found


def test_names_are_linked_as_by_hand(glee):
    """Every query is a track; its name and score are those of its mean logits over the last frames."""
    linker, past, head = QueryLinker(3), [], glee.model.panoptic_head
    tracked = glee.track(frames(), names=NAMES)
    identities = {}
    for frame, result in zip(frames(), tracked):
        with torch.no_grad():
            inputs, _ = prepare(glee.model, glee.geometry, frame, NAMES, 'category')
            outputs = head.decode(glee.model.extract_feat(inputs), head.encode_names(NAMES), last_only=True)
        order = linker.link(outputs.embeddings[0])
        past.append(outputs.last(0)['logits'][order])
        scores, labels = torch.stack(past).mean(0).sigmoid().max(-1)
        for identity, name, score in zip(result.ids.tolist(), result.names, result.scores.tolist()):
            track = int((scores - score).abs().argmin())
            assert float(scores[track]) == pytest.approx(score, abs=1e-5) and NAMES[labels[track]] == name
            assert identities.setdefault(identity, track) == track
    assert identities and tracked.num_frames == 4


def test_a_frame_shows_no_object_twice(glee):
    for result in glee.track(frames(3), names=NAMES, score_thr=0.):
        assert len(set(result.ids.tolist())) == len(result)
        for row, box in enumerate(result.boxes):
            assert all(iou(box, other) <= 0.6 + 1e-5 for other in result.boxes[:row])


def iou(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.prod((high - low).clip(0))
    return shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared)


def test_expressions_keep_their_number(glee):
    results = list(glee.track(frames(3), expressions=['a star', 'the square']))
    assert [result.ids.tolist() for result in results] == [[1, 2]] * 3
    alone = glee(frames(1)[0], expressions=['a star', 'the square'])[0]
    assert dict(zip(results[0].names, results[0].scores.tolist())) == pytest.approx({
        name: results[0].scores[index] for index, name in enumerate(results[0].names)})
    for name, rle in zip(alone.names, alone.rles):
        assert results[0].rles[results[0].names.index(name)] == rle  # in the first frame nothing is remembered


class Numbered:
    """Follows one square whose place is the number of the frame."""

    def step(self, image, frame):
        mask = np.zeros(image.shape[:2], bool)
        mask[5:15, frame:frame + 10] = True
        box = [frame, 5, frame + 10, 15]
        return ImageResult(path=None, shape=mask.shape, names=['square'], boxes=np.float32([box]),
                           scores=np.float32([0.5]), rles=[encode(mask)], ids=np.array([3]), frame=frame, image=image)


def test_every_file_holds_the_same_tracks(tmp_path):
    tracked = TrackedVideo(open_frames(frames(5), stride=2), [Numbered()])
    tracked.save(tmp_path / 'new/out.mp4', json=tmp_path / 'out.json', csv=tmp_path / 'out.csv',
                 mot=tmp_path / 'out.txt', masks=tmp_path / 'masks', show_progress=False)
    content = json.loads((tmp_path / 'out.json').read_text())
    assert [(entry['frame'], entry['objects'][0]['id'], entry['objects'][0]['box']) for entry in content] == [
        (0, 3, [0, 5, 10, 15]), (2, 3, [2, 5, 12, 15]), (4, 3, [4, 5, 14, 15])]
    assert decode(content[1]['objects'][0]['mask'])[5:15, 2:12].all()
    assert list(csv.reader(open(tmp_path / 'out.csv')))[1:] == [
        [str(frame), '3', 'square', '0.5', f'{frame}.0', '5.0', f'{frame + 10}.0', '15.0', '100']
        for frame in (0, 2, 4)]
    assert (tmp_path / 'out.txt').read_text().splitlines()[1] == '3,3,2.00,5.00,10.00,10.00,0.5000,-1,-1,-1'
    numbers = np.asarray(Image.open(tmp_path / 'masks/00004.png'))
    assert (numbers[5:15, 4:14] == 3).all() and (numbers == 3).sum() == 100
    video = cv2.VideoCapture(str(tmp_path / 'new/out.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 3 and video.get(cv2.CAP_PROP_FPS) == pytest.approx(12.5)
    picture = video.read()[1]
    assert picture.shape == (60, 90, 3) and np.abs(picture[50, 80].astype(int) - frames(1)[0][50, 80, ::-1]).max() < 60
    assert tracked.num_frames == 3 and tracked.num_tracks == 3


def test_unreadable_frames_are_left_out_and_named(tmp_path):
    paths = [tmp_path / f'f{number}.png' for number in (10, 2, 1)]
    for path in paths:
        Image.fromarray(frames(1)[0]).save(path)
    paths[1].write_bytes(b'none')
    tracked = TrackedVideo(open_frames(tmp_path), [Numbered()])
    assert [result.frame for result in tracked] == [0, 2]
    assert list(tracked.errors) == [1] and 'f2.png' in tracked.errors[1]


@pytest.mark.parametrize('options, numbers', [
    (dict(), [0, 1, 2, 3, 4]), (dict(start=1, end=4), [1, 2, 3]), (dict(stride=2), [0, 2, 4]),
    (dict(start=-2), [3, 4]), (dict(start=-1, stride=-2), [4, 2, 0]), (dict(start=3, end=0, stride=-1), [3, 2, 1]),
    (dict(end=-1), [0, 1, 2, 3]), (dict(end=99), [0, 1, 2, 3, 4])])
def test_ranges_are_those_of_slices(options, numbers):
    video = open_frames(frames(5), **options)
    assert [number for number, _ in video.frames] == numbers and video.length == len(numbers)
    generated = open_frames(iter(frames(5)), **options) if min(options.values(), default=0) >= 0 else None
    if generated is not None:
        assert [number for number, _ in generated.frames] == numbers


@pytest.mark.parametrize('source, options, error, message', [
    ('none.mp4', {}, FileNotFoundError, 'video none.mp4 does not exist'),
    (None, dict(stride=0), ValueError, 'stride=0'),
    (None, dict(start=5), ValueError, 'start=5 lies outside the 5 frames'),
    (None, dict(start=3, end=2), ValueError, 'hold no frame'), ([], {}, ValueError, 'has no frame')])
def test_what_is_no_video_is_said(source, options, error, message):
    with pytest.raises(error, match=message):
        open_frames(frames(5) if source is None else source, **options)


def test_frames_before_the_first_and_behind_the_last_are_refused(tmp_path):
    reader = FrameReader(frames(2))
    for index in (-1, 2):
        with pytest.raises(IndexError, match=f'has frames 0 to 1, not {index}'):
            reader[index]
    (tmp_path / 'video.mp4').write_bytes(b'none')
    with pytest.raises(ValueError, match='has no frame that can be read'):
        FrameReader(tmp_path / 'video.mp4')


def test_only_a_text_can_be_an_address(tmp_path):
    """A list is not turned into one; the folder of a path may look like it."""
    folder = tmp_path / 'http:' / 'frames'
    folder.mkdir(parents=True)
    Image.fromarray(frames(1)[0]).save(folder / 'a.png')
    assert open_frames([f'{tmp_path}/http://frames/a.png']).length == 1 and open_frames(folder).length == 1


def test_lists_of_text_paths(tmp_path):
    Image.fromarray(frames(1)[0]).save(tmp_path / 'a.png')
    np.testing.assert_array_equal(FrameReader([str(tmp_path / 'a.png')])[0], frames(1)[0])


def test_nothing_to_follow_or_to_write_is_said(glee):
    with pytest.raises(ValueError, match='say what to follow'):
        glee.track(frames(1))
    with pytest.raises(ValueError, match='say what to write'):
        glee.track(frames(1), names='star').save()


def test_prompts_are_followed_from_their_frame_on(glee):
    """The tracker is given the mask that a click finds; a second object comes later."""
    click = dict(points=[(20, 30)])
    results = list(glee.track(frames(4), prompts={1: click, 2: [dict(points=[(5, 5)], text='a ring')]}, score_thr=0.))
    clicked = glee(frames(2)[1], prompts=[click])[0]
    assert len(results[0]) == 0 and results[1].names == ['object 1']
    first, given = decode(results[1].rles[0]), clicked.masks[0]
    assert (first & given).sum() / (first | given).sum() > 0.9  # warped to the model's size and back
    assert results[2].names in (['object 1', 'a ring'], ['object 1'], ['a ring'])
    assert all(set(result.ids.tolist()) <= {1, 2} for result in results)


def test_a_reference_is_followed_as_track_reference_does(glee):
    session = InteractiveSession(glee.model)
    session.set_image(frames(1)[0])
    reference = session.encode_reference(points=[(20, 30)])
    expected = list(track_reference(session, frames(3), reference, 'prev'))
    for result, one in zip(glee.track(frames(3), reference=reference, score_thr=0.), expected):
        assert result.ids.tolist() == [1] and result.scores[0] == pytest.approx(one.score, abs=1e-6)
        assert result.rles[0] == one.rle


CLICK = dict(points=[(30, 30)])


def shown(tracked):
    return {result.frame: result.rles for result in tracked}


def test_prompts_on_frames_that_are_not_taken(glee):
    """Frame 1 is read for its click, whatever start and stride; the masks are those of the whole video."""
    whole = shown(glee.track(frames(6), prompts={1: CLICK}, score_thr=0.))
    assert whole[0] == [] and all(len(rles) <= 1 for rles in whole.values())
    for options, numbers in (
            (dict(stride=2), [0, 2, 4]), (dict(start=3), [3, 4, 5]), (dict(start=2, stride=3), [2, 5])):
        for source in (frames(6), iter(frames(6))):
            found = shown(glee.track(source, prompts={1: CLICK}, score_thr=0., **options))
            assert found == {number: whole[number] for number in numbers}
    assert any(whole[number] for number in (2, 3, 4, 5))


def test_prompts_are_followed_backwards(glee):
    """As in the video turned around; names of the same call do not see the frame that is only read."""
    turned = shown(glee.track(frames(6)[::-1], prompts={1: CLICK}, score_thr=0.))
    found = shown(glee.track(frames(6), prompts={4: CLICK}, start=-1, stride=-1, score_thr=0.))
    assert list(found) == [5, 4, 3, 2, 1, 0] and list(found.values()) == list(turned.values())
    mixed = list(glee.track(frames(6), prompts={1: CLICK}, names=NAMES, stride=2))
    alone = list(glee.track(frames(6), names=NAMES, stride=2))
    for one, other in zip(mixed, alone, strict=True):
        named = one[[row for row, name in enumerate(one.names) if name in NAMES]]
        assert named.rles == other.rles and named.scores.tolist() == other.scores.tolist()


@pytest.mark.parametrize('prompts, options, message', [
    ({6: CLICK}, {}, 'pointed at in frame 6, which is never reached: the video has frames 0 to 5'),
    ({4: CLICK}, dict(end=3), 'in frame 4, which is never reached: start=0, end=3, stride=1 stop at frame 2'),
    ({0: CLICK}, dict(start=-1, end=1, stride=-1), 'frame 0, which is never reached: .* stop at frame 2'),
    ([CLICK], {}, 'prompts of a video go by the number of their frame'), ({'a': CLICK}, {}, 'by the number of')])
def test_prompts_that_would_never_count_are_refused(glee, prompts, options, message):
    with pytest.raises(ValueError, match=message):
        glee.track(frames(6), prompts=prompts, **options)


def test_prompts_of_a_stream_that_ends_early_are_named(glee):
    with pytest.raises(ValueError, match='frame 4, which is never reached: end=4 stops'):
        glee.track(iter(frames(6)), prompts={4: CLICK}, end=4)
    tracked = glee.track(iter(frames(2)), prompts={'1': [CLICK], '7': [CLICK]}, score_thr=0.)
    assert [result.frame for result in tracked] == [0, 1]
    assert tracked.errors == {7: 'the video ended before frame 7, in which something was pointed at'}


def test_the_model_does_not_see_frames_without_objects(glee):
    """One pass for the click and its frame, one for the next; none before."""
    sizes = []
    hook = glee.model.backbone.register_forward_hook(lambda _, inputs, __: sizes.append(tuple(inputs[0].shape)))
    list(glee.track(frames(4), prompts={2: CLICK}))
    hook.remove()
    picture = max(set(sizes), key=lambda size: size[-1])
    assert sizes.count(picture) == 2


def test_identities_beyond_a_png_are_refused(tmp_path):
    """255 is void in DAVIS's files."""
    mask = np.ones((4, 6), bool)
    result = ImageResult(None, (4, 6), ['star'], np.array([[0, 0, 6, 4.]]), np.ones(1), [encode(mask)], frame=0,
                         ids=np.array([254]))
    writer = MaskTracks(tmp_path)
    writer.write(result)
    assert np.unique(np.asarray(Image.open(tmp_path / '00000.png'))).tolist() == [254]
    result.ids[:] = 255
    with pytest.raises(ValueError, match='object 255 does not fit into PNG files of 254 identities: write JSON'):
        writer.write(result)

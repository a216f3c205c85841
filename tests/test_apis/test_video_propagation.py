"""What passes the model in a video session, in which frames, and that it changes no mask."""
import weakref
from collections import Counter

import numpy as np
import pytest
import torch
from mini_video import video_model

from projects.glee.apis import InteractiveSession, VideoSession
from projects.glee.apis.frame_features import FrameFeatures
from projects.glee.structures.masks import decode

SHAPE, COUNT = (64, 96), 7
OPTIONS = dict(scale=(96, 64))


@pytest.fixture(scope='module')
def model():
    return video_model(dict(type='PromptTracker'))


@pytest.fixture
def passes(model):
    """How often the backbone saw each frame; templates, of another size, do not count."""
    counts, known = Counter(), {}

    def count(_, inputs, __):
        if tuple(inputs[0].shape[-2:]) == SHAPE:
            counts[known.setdefault(inputs[0].sum().item(), len(known))] += len(inputs[0])

    hook = model.backbone.register_forward_hook(count)
    yield counts
    hook.remove()


def video(length=COUNT):
    """A bright square that moves right over noise, uint8 RGB frames."""
    frames = np.random.default_rng(0).integers(0, 60, (length, *SHAPE, 3), dtype=np.uint8)
    for i, frame in enumerate(frames):
        frame[20:40, 8 * i % 60 + 10:8 * i % 60 + 30] = 250
    return frames


def opened(model, frames=None, **options):
    session = VideoSession(model, **OPTIONS, **options)
    session.open(video() if frames is None else frames)
    return session


def masks_of(session, object_id, frames=range(COUNT)):
    return [session.mask(object_id, frame) for frame in frames]


def equal(one, other):
    return all(np.array_equal(first, second) for first, second in zip(one, other, strict=True))


# ---- features that are kept ----
def play(session):
    """Two objects, a whole run, two corrections of a frame and another run: all masks and scores."""
    session.add(2, points=[(30, 30)])
    session.add(4, boxes=[(42, 20, 62, 40)])
    list(session.track())
    session.refine(1, 2, points=[(50, 30, -1)])
    session.refine(1, 2, points=[(34, 30)])
    session.refine(2, 6, points=[(66, 30)])
    list(session.track())
    return [(session.mask(number, frame), session.score(number, frame)) for number in (1, 2) for frame in range(COUNT)]


@pytest.mark.parametrize('memory', ['first', 'first+previous'])
def test_kept_features_change_no_bit(model, passes, memory):
    without = play(opened(model, cached_frames=0, memory=memory))
    slow = passes.total()
    passes.clear()
    few = play(opened(model, cached_frames=2, memory=memory))
    assert passes.total() < slow
    passes.clear()
    kept = play(opened(model, cached_frames=COUNT, memory=memory))
    assert set(passes.values()) == {1} and len(passes) == COUNT
    for other in (few, kept):
        assert equal([mask for mask, _ in without], [mask for mask, _ in other])
        assert [score for _, score in without] == [score for _, score in other]


def test_a_prompt_on_a_known_frame_costs_no_pass(model, passes):
    session = opened(model)
    session.add(3, points=[(40, 30)])
    assert passes.total() == 1
    session.add_many(3, [dict(points=[(5, 5)]), dict(text='a ring')])
    session.refine(1, 3, points=[(60, 30, -1)])
    assert passes.total() == 1
    session.add(5, points=[(60, 30)])
    list(session.track(start=3))  # 4 and 6 are new
    assert passes.total() == 4
    session.refine(2, 5, points=[(10, 10)])  # a sweep does not push out what was pointed at
    assert passes.total() == 4


def test_the_features_of_a_frame_that_makes_room_are_freed(model):
    """At most two frames are held; opening another video frees them, too."""
    session, held = opened(model, cached_frames=2), []
    extract = model.extract_feat

    def remember(batch):
        feats = extract(batch)
        if tuple(batch.shape[-2:]) == SHAPE:
            held.append(weakref.ref(feats[0]))
        return feats

    model.extract_feat = remember
    try:
        session.add(0, points=[(20, 30)])
        for _ in session.track():
            assert sum(ref() is not None for ref in held) <= 2
        for frame in range(COUNT):
            session.add(frame, points=[(20, 30)])
            assert sum(ref() is not None for ref in held) <= 2
        assert len(held) > COUNT
        session.open(video())
        assert all(ref() is None for ref in held)
    finally:
        del model.extract_feat


def test_which_frames_are_kept():
    """Pointed at: the latest. Swept: the first that there is room for, and the latest in the last place."""
    features = FrameFeatures(3)
    for frame in (7, 8):
        features.put(frame, f'image {frame}', True)
    for frame in range(4):
        features.put(frame, f'image {frame}', False)
        assert features.get(frame, False) == f'image {frame}'
    assert [frame for frame in (7, 8, 0, 1, 2, 3) if features.get(frame, False)] == [7, 8, 3]
    features.get(7, True)
    for frame in (9, 10):
        features.put(frame, '', True)
    assert features.get(7, False) and features.get(8, False) is None and len(features) == 3
    nothing = FrameFeatures(0)
    nothing.put(1, '', True)
    assert len(nothing) == 0
    with pytest.raises(ValueError, match='cached_frames=-1'):
        FrameFeatures(-1)


# ---- ranges and directions ----
@pytest.fixture(scope='module', params=['first', 'first+previous'])
def full(request, model):
    """The options of a session, the masks of a run over the whole video, and how a session is prompted."""
    def prompt(session):
        session.add(2, points=[(30, 30)])
        session.add(4, boxes=[(42, 20, 62, 40)])
        return session

    session = prompt(opened(model, memory=request.param))
    order = list(session.track())
    assert order == [4, 5, 6, 3, 2, 1, 0]  # each once, when both objects are known there
    return dict(memory=request.param), {number: masks_of(session, number) for number in (1, 2)}, prompt


@pytest.mark.parametrize('part, frames', [
    (dict(start=5), [5, 6]), (dict(start=1, end=4), [3, 2, 1]), (dict(end=2), [1, 0]), (dict(stride=3), [6, 3, 0]),
    (dict(start=-2), [5, 6]), (dict(start=1, stride=4), [5, 1]), (dict(end=100), [4, 5, 6, 3, 2, 1, 0]),
    (dict(start=3, reverse=False), [3, 4, 5, 6]), (dict(reverse=False, end=4), [2, 3]),
    (dict(reverse=True), [3, 2, 1, 0]), (dict(reverse=True, start=1, stride=2), [3, 1])], ids=str)
def test_a_part_has_the_masks_of_the_whole(model, full, part, frames):
    options, expected, prompt = full
    session = prompt(opened(model, **options))
    assert list(session.track(**part)) == frames
    for number, first in ((1, 2), (2, 4)):
        for frame in frames:
            if part.get('reverse') is False and frame < first or part.get('reverse') is True and frame > first:
                continue  # the object is not there before it starts
            assert np.array_equal(session.mask(number, frame), expected[number][frame]), (number, frame)


def test_only_what_is_asked_for_passes_the_model(model, passes):
    """The frame that was pointed at, for what it says, and the two that are wanted."""
    session = opened(model, cached_frames=0)
    session.add(1, points=[(25, 30)])
    passes.clear()
    assert list(session.track(start=5)) == [5, 6] and passes.total() == 3
    passes.clear()
    assert list(session.track(start=2, reverse=True)) == list(session.track(end=1, reverse=False)) == []
    assert passes.total() == 0
    for wrong, message in ((dict(stride=0), 'stride=0'), (dict(stride=-1), 'reverse=True'),
                           (dict(start=5, end=3), 'hold no frame of 7')):
        with pytest.raises(ValueError, match=message):
            session.track(**wrong)


def test_no_pass_where_no_object_is(model, passes):
    """From the first frame there is no way back; an object without a pixel needs no frame at all."""
    session = opened(model, cached_frames=0)
    session.add(0, points=[(20, 30)])
    passes.clear()
    assert list(session.track()) == list(range(COUNT)) and passes.total() == COUNT
    session = opened(model, cached_frames=0)
    session.add(3, points=[(40, 30)])
    known = session._objects[1]
    known.starts[3] = known.starts[3]._replace(rle=None)
    passes.clear()
    assert list(session.track()) == [3, 4, 5, 6, 2, 1, 0] and not passes
    assert session.score(1, 5) == 0 and not session.mask(1, 5).any()


# ---- several objects, removal ----
def test_objects_added_together_are_those_added_one_by_one(model):
    prompts = [dict(points=[(30, 30)]), dict(boxes=[(5, 45, 40, 60)]), dict(text='a ring')]
    together, alone = opened(model), opened(model)
    found = together.add_many(2, prompts)
    assert [one.id for one in found] == [1, 2, 3] and [one.text for one in found] == [None, None, 'a ring']
    for one, prompt in zip(found, prompts):
        other = alone.add(2, **prompt)
        assert np.array_equal(one.mask, other.mask) and one.score == pytest.approx(other.score, abs=1e-5)
    with pytest.raises(ValueError, match="prompt of object 5: 'pionts' is unknown; give a dict with keys out of audio"):
        together.add_many(2, [dict(text='a star'), dict(pionts=[(1, 1)])])
    assert sorted(together._objects) == [1, 2, 3] and together.add(0, points=[(1, 1)]).id == 4


def test_a_removed_object_leaves_the_others_as_they_were(model):
    """At once, and after the next run, whose masks are those of a video that never had it."""
    session, without = opened(model), opened(model)
    places = [(30, 30), (30, 32), (70, 50)]  # the first two want the same pixels
    for place in places:
        session.add(2, points=[place])
    for place in places[1:]:
        without.add(2, points=[place])
    list(session.track())
    list(without.track())
    before = {number: masks_of(session, number) for number in (2, 3)}
    session.remove(1)
    assert all(equal(masks_of(session, number), masks) for number, masks in before.items())
    list(session.track())
    assert all(equal(masks_of(session, number), masks_of(without, number - 1)) for number in (2, 3))
    assert sorted(session.result(4).ids) <= [2, 3]
    for call in (lambda: session.remove(1), lambda: session.refine(1, 2, points=[(1, 1)]), lambda: session.mask(1, 2)):
        with pytest.raises(KeyError, match='object 1'):
            call()
    found = session.add(0, points=[(5, 5)])
    assert found.id == 4  # no number twice
    session.remove(found)
    session.reset()
    with pytest.raises(RuntimeError, match='call add first'):
        session.track()


def test_a_kept_frame_remembers_no_prompt(model):
    """Frame 2, where a removed object started, is kept; the object that comes to it is alone."""
    session, alone = opened(model, cached_frames=COUNT), opened(model)
    gone = session.add(2, boxes=[(26, 20, 46, 40)])
    list(session.track())
    session.remove(gone)
    kept = session.add(0, boxes=[(10, 20, 30, 40)])
    other = alone.add(0, boxes=[(10, 20, 30, 40)])
    list(session.track())
    list(alone.track())
    assert equal(masks_of(session, kept.id), masks_of(alone, other.id)) and any(
        mask.any() for mask in masks_of(alone, other.id, range(2, COUNT)))


def test_objects_may_go_while_they_are_tracked(model):
    session = opened(model)
    session.add(0, points=[(20, 30)])
    session.add(0, points=[(70, 50)])
    for frame in session.track():
        if frame == 3:
            session.remove(1)
    assert all(session.mask(2, frame).shape == SHAPE for frame in range(COUNT)) and list(session._objects) == [2]


# ---- scores, presence, words ----
def test_scores_and_presence(model):
    """With a threshold between the scores of the tracked frames, those below it are absent and the others the same."""
    session = opened(model)
    found = session.add(2, points=[(30, 30)])
    list(session.track())
    scores = {frame: session.score(1, frame) for frame in range(COUNT)}
    assert scores[2] == found.score and all(0 < score < 1 for score in scores.values())
    tracked = sorted(score for frame, score in scores.items() if frame != 2)
    limit = (tracked[2] + tracked[3]) / 2
    strict = opened(model, min_score=limit)
    strict.add(2, points=[(30, 30)])
    list(strict.track())
    for frame in range(COUNT):
        result, present = strict.result(frame), frame == 2 or scores[frame] >= limit
        assert strict.score(1, frame) == scores[frame]
        assert np.array_equal(strict.mask(1, frame), session.mask(1, frame) if present else np.zeros(SHAPE, bool))
        if present and session.mask(1, frame).any():
            assert result.ids.tolist() == [1] and result.names == ['object 1'] and result.frame == frame
            assert result.scores[0] == pytest.approx(scores[frame])
            ys, xs = np.nonzero(session.mask(1, frame))
            assert result.boxes[0].tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        else:
            assert len(result) == 0
    assert sum(len(strict.result(frame)) for frame in range(COUNT)) < COUNT


@torch.no_grad()
def test_words_for_an_object_that_comes_later(model):
    """It is not in its own frame; in each other frame it is what the words find there, if that is good enough."""
    image, words = InteractiveSession(model, **OPTIONS), dict(text='the bright square')
    alone = []
    for picture in video():
        image.set_image(picture)
        output, = image._decode(image.objects_of([image.read(**words)]), lambda decoded: decoded)
        alone.append(float(output.probability[output.ranking.argmax()]))
    own = int(np.argmin(alone))  # the frame in which the words are told
    limit = float(np.median(alone))
    session = opened(model, min_score=limit)
    found = session.add(own, **words)
    assert found.text == words['text'] and found.score < limit and not session.mask(1, own).any()
    assert sorted(session.track()) == list(range(COUNT))
    shown = [frame for frame in range(COUNT) if session.mask(1, frame).any()]
    assert shown == [frame for frame in range(COUNT) if alone[frame] >= limit and frame != own] and shown
    for frame in range(COUNT):
        if frame != own:
            assert session.score(1, frame) == pytest.approx(alone[frame], abs=1e-5)
    assert session.result(shown[0]).names == ['the bright square']


def test_results_as_files(model, tmp_path):
    session = opened(model)
    session.add(1, points=[(25, 30)])
    list(session.track())
    session.save(tmp_path / 'out.mp4', csv=tmp_path / 'out.csv', masks=tmp_path / 'masks', start=1, stride=2,
                 show_progress=False)
    rows = (tmp_path / 'out.csv').read_text().splitlines()
    shown = [frame for frame in (1, 3, 5) if session.mask(1, frame).any()]
    assert len(rows) == 1 + len(shown) and (tmp_path / 'out.mp4').stat().st_size
    assert sorted(path.name for path in (tmp_path / 'masks').iterdir()) == ['00001.png', '00003.png', '00005.png']
    assert decode(session.result(1).rles[0]).sum() == int(rows[1].split(',')[-1])


# ---- live ----
def test_live_objects_from_any_prompt_come_and_go(model, passes):
    """No frame passes the model before the first object and after the last one."""
    session, prompts, shown = VideoSession(model, **OPTIONS), {}, []
    for number, masks in enumerate(session.live(iter(video()), prompts)):
        shown.append(sorted(masks))
        assert not prompts
        if number == 1:
            prompts[4] = dict(points=[(34, 30)])
        if number == 4:
            prompts[4] = None
    assert shown == [[], [], [4], [4], [4], [], []] and passes.total() == 3
    direct = opened(model)
    direct.add(2, points=[(34, 30)])
    list(direct.track(start=2))
    again = list(session.live(iter(video()[2:]), {4: dict(points=[(34, 30)])}))
    assert equal([masks[4] for masks in again[1:]], masks_of(direct, 1, range(3, COUNT)))
    with torch.no_grad():
        assert list(session.live(iter([]), {})) == []

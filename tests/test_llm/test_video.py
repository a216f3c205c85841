"""A video under a language model: what it sees, remembers and costs."""
import json

import numpy as np
import pytest
import torch
from toy_llm import LLAVA, QWEN
from toy_video_llm import FILM, open_gate, talkative, toy_video

import projects.glee.llm  # noqa: F401
from projects.glee.llm.video import FileKeyFrames, FrameReasoner, LanguageKeyFrames, MemoryBank, VideoMemory, sweep
from projects.glee.llm.video.frame_reasoner import frame_turns
from projects.glee.llm.video.frame_sampler import context_frames, past_context, sample_context, sample_window
from projects.glee.llm.video.key_frames import stability
from projects.glee.llm.video.memory_schedule import forgotten, remembered
from projects.glee.llm.video.sweep import passes


@pytest.mark.parametrize('length, frames', [
    (20, [2, 7, 12, 17]), (36, [4, 13, 22, 31]), (100, [12, 37, 62, 87]), (4, [0, 1, 2, 3]), (1, [0] * 4),
    (2, [0, 0, 0, 1]), (3, [0, 0, 1, 2])])
def test_context_at_test(length, frames):
    assert context_frames(length) == frames
    assert past_context(length - 1) == frames


def test_frames_of_training():
    rng = np.random.default_rng(0)
    drawn = np.array([sample_context(10, rng) for _ in range(200)])
    assert [sorted(set(column)) for column in drawn.T.tolist()] == [[0, 1], [2, 3, 4], [5, 6], [7, 8, 9]]
    assert all(0 <= frame < 3 for _ in range(20) for frame in sample_context(3, rng))
    assert {tuple(sample_window(6, rng)) for _ in range(60)} == {(0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5)}
    with pytest.raises(ValueError, match='3 frames has no window of 4'):
        sample_window(3, rng)


@pytest.mark.parametrize('frame, frames', [
    (0, []), (1, [0]), (2, [1, 0]), (5, [4, 3, 0]), (10, [9, 6, 3, 0]), (20, [19, 18, 15, 12, 9, 6, 3])])
def test_what_is_remembered(frame, frames):
    assert remembered(frame) == frames


def test_nothing_is_forgotten_that_is_needed():
    for stride in (1, 3):
        for frame in range(60):
            needed = {one for later in range(frame, 60) for one in remembered(later, stride) if one < frame}
            assert min(needed, default=frame) >= forgotten(frame, stride)
        assert max(len(remembered(frame, stride)) for frame in range(60)) == 7


def test_an_untrained_memory_changes_nothing_and_stays_small():
    bank = MemoryBank(16, 16, 1, 2)
    memory, other = VideoMemory(bank), VideoMemory(bank)
    pixels = torch.randn(16, 4, 6)
    with torch.no_grad():
        for _ in range(500):
            assert torch.equal(memory.read(pixels), pixels)
            memory.write(pixels, pixels[0])
        assert len(memory.kept) <= 8 and memory.frame == 500
        bank.gate.fill_(1.)
        assert not torch.equal(memory.read(pixels), pixels)
        assert torch.equal(other.read(pixels), pixels)  # nothing of another video


@pytest.mark.parametrize('family', [LLAVA, QWEN], ids=['llava', 'qwen'])
def test_a_frame_does_not_know_the_next_one(family):
    model = open_gate(toy_video(family))
    turns = frame_turns('red ?', 2, 3, ['it is [SEG]'] * 3)

    def masks(*frames):
        seen = model.see(frames)
        tokens, read = model.read(turns, seen)
        with torch.no_grad():
            return model.sample_masks(model.seg_embeds(tokens, model.reader([read])[0]), [2, 3, 4], seen)

    before = masks(*FILM[:5])
    later = masks(*FILM[:4], FILM[7])
    assert torch.equal(before[0], later[0]) and torch.equal(before[1], later[1])
    assert not torch.allclose(before[2], later[2])
    context = masks(FILM[6], *FILM[1:5])
    assert all((one - other).abs().max() > 1e-6 for one, other in zip(before, context))


@pytest.mark.parametrize('family', [LLAVA, QWEN], ids=['llava', 'qwen'])
def test_a_prefix_read_once_gives_the_same(family):
    model = open_gate(talkative(toy_video(family)))
    context = [FILM[number] for number in context_frames(len(FILM))]
    answers = [[reasoner.step(frame) for frame in FILM[:6]] for reasoner in (
        FrameReasoner(model, 'red square', context, use_prefix=use_prefix) for use_prefix in (True, False))]
    for one, other in zip(*answers):
        torch.testing.assert_close(one.logits, other.logits, atol=1e-4, rtol=1e-4)
    assert (answers[0][0].logits - answers[0][5].logits).abs().max() > 1e-4


def test_frames_on_their_own():
    """Without context, window and memory a frame knows nothing of others."""
    model = talkative(toy_video(memory=None, context=0, window=1))
    alone = [sweep(model, [frame], 'red square').answers[0] for frame in FILM[:3]]
    for one, other in zip(alone, sweep(model, FILM[:3], 'red square').answers):
        torch.testing.assert_close(one.logits, other.logits)
    longer = sweep(talkative(toy_video(memory=None, context=2, window=2)), FILM[:3], 'red square').answers
    assert (longer[2].logits - alone[2].logits).abs().max() > 1e-6


def test_cost_and_memory_are_flat_over_300_frames():
    model = talkative(toy_video())
    cost, original = [], model.language_model.run

    def run(embeds, mask, positions, cache=None):
        cost.append((embeds.shape[1], cache.get_seq_length()))
        return original(embeds, mask, positions, cache)

    reasoner = FrameReasoner(model, 'red square', FILM[:4])
    model.language_model.run = run
    for number in range(300):
        reasoner.step(FILM[number % 8])
        if number == 3:
            assert len(cost) == 5 and cost[0][1] == 0  # the context once, then one run per frame
            full = cost[-1]
    assert set(cost[4:]) == {full} and len(cost) == 301
    assert len(reasoner.memory.kept) <= 8 and len(reasoner.window) == 4 and len(model.glee.cache) == 8


def test_without_seg_the_mask_is_empty_and_the_dialogue_goes_on():
    model = toy_video()
    original, silent = model.language_model.logits, [1, 2]
    steps = iter(range(9))
    model.language_model.logits = lambda states: original(states).index_fill(
        -1, torch.tensor(model.language_model.seg_id), -99. if next(steps) in silent else 99.)
    found = sweep(model, FILM[:5], 'red square').answers
    assert [one.logits is None for one in found] == [False, True, True, False, False]
    assert [one.score for one in found][1:3] == [0., 0.] and not found[1].mask.any() and found[1].mask.shape == (32, 48)
    words = model.language_model.decode_text(model.read(
        frame_turns('red ?', 1, 3), model.see(FILM[:4]), open_answer=True)[0].ids.tolist())
    assert words.count('[SEG]') == 2 and words.endswith('segmentation result is')


@pytest.mark.parametrize('length', [1, 2, 3])
def test_short_videos(length):
    assert len(sweep(talkative(toy_video()), FILM[:length], 'red square').answers) == length


@pytest.mark.parametrize('key_frame, order', [(0, [0, 1, 2, 3]), (2, [2, 3, 2, 1, 0]), (3, [3, 3, 2, 1, 0])])
def test_both_ways_from_the_key_frame(key_frame, order, monkeypatch):
    assert [frame for part in passes(4, key_frame) for frame in part] == order
    model, seen = talkative(toy_video()), []
    step = FrameReasoner.step
    monkeypatch.setattr(FrameReasoner, 'step', lambda self, frame: seen.append(
        (next(number for number, one in enumerate(FILM) if one is frame), self)) or step(self, frame))
    found = sweep(model, FILM[:4], 'red square', lambda frames, text, key: np.eye(4)[key_frame])
    assert [number for number, _ in seen] == order and found.key_frame == key_frame
    assert found.key_scores == np.eye(4)[key_frame].tolist()
    assert len({id(reasoner) for _, reasoner in seen}) == (2 if key_frame else 1)
    for number, answer in enumerate(found.answers):  # the objects in it are those of its frame
        assert torch.equal(answer.found.boxes, model.glee(FILM[number]).boxes)
    with pytest.raises(ValueError, match='key frame 4 is not in a video of 4 frames'):
        list(passes(4, 4))


def test_expressions_do_not_disturb_each_other():
    model = open_gate(talkative(toy_video()))
    alone = [sweep(model, FILM[:3], text).answers for text in ('red square', 'blue square')]
    again = [sweep(model, FILM[:3], text).answers for text in ('blue square', 'red square')][::-1]
    for one, other in zip(alone, again):
        assert all(torch.equal(a.logits, b.logits) for a, b in zip(one, other))


def test_key_frames_of_a_file_and_of_the_model(tmp_path):
    (tmp_path / 'keys.json').write_text(json.dumps({'film_0': 2, 'film_1': 9}))
    scorer = FileKeyFrames(tmp_path / 'keys.json')
    assert scorer(FILM, 'x', ('film', '0')) == [0., 0., 1., 0., 0., 0., 0., 0.]
    with pytest.raises(KeyError, match="no key frame of 'film_2'"):
        scorer(FILM, 'x', ('film', '2'))
    with pytest.raises(ValueError, match="frame 9 of 'film_1' is not in a video of 8"):
        scorer(FILM, 'x', ('film', '1'))
    scores = LanguageKeyFrames(toy_video(), shown=3)(FILM[:4], 'red square')
    assert len(scores) == 4 and len(set(scores)) == 4
    assert stability(torch.tensor([[2., 0., -3.], [1.5, -0.5, -2.]])) == 2 / 4
    assert stability(torch.full((2, 2), -5.)) == 0

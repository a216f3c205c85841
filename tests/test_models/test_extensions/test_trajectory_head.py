"""Trajectory head and tracker: what objects do decides between those that look alike."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mini_video import same_tracks, track_video, video_model
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config

from projects.glee.models.extensions.trajectories import TrajectoryHead
from projects.glee.models.extensions.trajectories.trajectory_head import describe_boxes
from projects.glee.models.extensions.trajectories.trajectory_tracker import read_trajectories
from projects.glee.models.trackers import FrameStore

SENTENCES = dict(text=('the red star', 'the ring that moves left'), text_mode='expression')
LINKING = dict(max_candidates=12, in_memory_frames=2)


def head(seed=0, **kwargs):
    torch.manual_seed(seed)
    return TrajectoryHead(
        text_dims=6, embed_dims=16, num_steps=6, num_heads=2, feedforward_channels=16, word_dropout=0.5,
        **kwargs).eval()


def inputs(seed=0, objects=4, length=9, sentences=3):
    torch.manual_seed(seed)
    trajectories = torch.rand(objects, length, 5)
    trajectories[..., 4] = (trajectories[..., 4] > 0.3).float()
    mask = torch.arange(5) < torch.tensor([5, 2, 3])[:sentences, None]
    return trajectories, torch.randn(sentences, 5, 6), mask


def tracking_model(**tracker):
    model = video_model(dict(type='TrajectoryTracker', **LINKING, **tracker))
    torch.manual_seed(1)
    model.trajectory_head = TrajectoryHead(text_dims=64).eval()
    return model


def test_boxes_are_described_relative_to_the_first_sight():
    """By hand: hidden in the first frame, then seen, moved by (0.1, -0.2), twice as wide, half as high."""
    trajectories = torch.tensor([[[9., 9., 9., 9., 0.], [.4, .6, .2, .1, 1.], [.5, .4, .4, .05, 1.]]])
    expected = torch.tensor([[
        [0.] * 9, [1, .4, .6, .2, .1, 0, 0, 0, 0],
        [1, .5, .4, .4, .05, .4, -.8, 2 * math.log(2), -2 * math.log(2)]]])
    torch.testing.assert_close(describe_boxes(trajectories), expected)
    assert not describe_boxes(trajectories * torch.tensor([1., 1, 1, 1, 0])).any()


def test_scores_follow_order_and_ignore_what_does_not_count():
    """Permuted objects and sentences permute the scores; hidden boxes and padding change nothing."""
    model, (trajectories, tokens, mask) = head(), inputs()
    logits = model(trajectories, tokens, mask)
    assert logits.shape == (3, 4)
    order, turn = torch.tensor([2, 0, 3, 1]), torch.tensor([1, 2, 0])
    torch.testing.assert_close(model(trajectories[order], tokens[turn], mask[turn]), logits[turn][:, order])
    hidden, padded = trajectories.clone(), tokens.clone()
    hidden[..., :4] += 7 * (trajectories[..., 4:] == 0)
    padded[~mask] = 9.
    torch.testing.assert_close(model(hidden, padded, mask), logits)
    assert (model(trajectories.flip(1), tokens, mask) - logits).abs().max() > 1e-3  # time has a direction


def test_a_long_video_is_read_at_evenly_spaced_moments():
    """11 frames of which only those read differ from noise give what these six alone give."""
    model, (trajectories, tokens, mask) = head(), inputs(length=6)
    longer = torch.rand(4, 11, 5)
    longer[:, ::2] = trajectories
    torch.testing.assert_close(model(longer, tokens, mask), model(trajectories, tokens, mask))
    assert model(trajectories[:, :1], tokens, mask).isfinite().all()


def test_loss_is_a_cross_entropy_over_objects():
    """Against torch for one object per sentence; two share the target; a sentence about nothing does not count."""
    model, (trajectories, tokens, mask) = head(), inputs()
    logits = model(trajectories, tokens, mask)
    single = F.one_hot(torch.tensor([1, 3, 0]), 4).bool()
    torch.testing.assert_close(model.loss(trajectories, tokens, mask, single),
                               F.cross_entropy(logits, torch.tensor([1, 3, 0])))
    several = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]).bool()
    share = torch.tensor([[.5, .5, 0, 0], [0, 0, 0, 1]])
    torch.testing.assert_close(model.loss(trajectories, tokens, mask, several), F.cross_entropy(logits[[0, 2]], share))
    assert model.loss(trajectories, tokens, mask, torch.zeros(3, 4).bool()) == 0


def test_directions_are_learned():
    """From 150 batches, "left" and "right" (two random vectors) are told apart on new random ways."""
    torch.manual_seed(0)
    model, words = head(dropout=0.0).train(), torch.randn(2, 1, 6)
    mask = torch.ones(2, 1, dtype=torch.bool)

    def scene():
        start, sides = torch.rand(2, 1, 2) * 0.6 + 0.2, torch.rand(2, 1, 2) * 0.1 + 0.05
        way = torch.linspace(0, 1, 8)[:, None] * torch.tensor([1., 0])
        speed = torch.tensor([-1., 1]).view(2, 1, 1) * (torch.rand(2, 1, 1) * 0.3 + 0.1)
        return torch.cat([start + speed * way, sides.expand(-1, 8, -1), torch.ones(2, 8, 1)], -1)

    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(150):
        optimizer.zero_grad()
        loss = model.loss(scene(), words, mask, torch.eye(2).bool())
        loss.backward()
        optimizer.step()
    model.eval()
    right = [(model(scene(), words, mask).argmax(1) == torch.arange(2)).float().mean() for _ in range(50)]
    assert torch.stack(right).mean() > 0.95


def test_words_are_hidden_in_training_only():
    """Half of the words; a sentence of one word keeps it."""
    model, (trajectories, tokens, mask) = head(dropout=0.0), inputs()
    fixed = model(trajectories, tokens, mask)
    one = mask & (torch.arange(5) == 0)
    single = model(trajectories, tokens, one)
    model.train()
    logits = torch.stack([model(trajectories, tokens, mask) for _ in range(40)])
    # per sentence: some passes see all of its words, others do not
    full = torch.isclose(logits, fixed, atol=1e-5).all(-1).float().mean(0)
    assert ((full > 0) | (mask.sum(1) > 4)).all() and (full < 0.6).all()
    torch.testing.assert_close(model(trajectories, tokens, one), single)


def test_only_the_head_is_trained():
    """One step changes the head and nothing else; all other parts stay in eval mode."""
    cfg = Config.fromfile('configs/glee/_base_/models/glee_mini.py').model
    cfg.type, cfg.trajectory_head = 'GLEETrajectories', dict(type='TrajectoryHead', text_dims=64)
    cfg.data_preprocessor = dict(type='BaseDataPreprocessor')
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    assert model.training and model.trajectory_head.training
    assert not any(part.training for part in model.panoptic_head.modules())
    trajectories, _, _ = inputs()
    sample = DetDataSample(metainfo=dict(text=('the star that moves left', 'the ring')))
    sample.referred = torch.tensor([[1, 0, 0, 0], [0, 0, 1, 0]]).bool()
    losses = model(**model.data_preprocessor(dict(inputs=[trajectories] * 2, data_samples=[sample] * 2)), mode='loss')
    assert list(losses) == ['loss_trajectory']
    losses['loss_trajectory'].backward()
    torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1).step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith('trajectory_head.') for name in changed)


def test_trajectories_are_read_from_stored_frames():
    """Boxes relative to the image without padding; a frame that lacks a track or doubts it does not show it."""
    store = FrameStore(in_memory=1)
    masks, shapes = np.zeros((2, 2, 2), np.float16), np.array([[80, 100], [40, 80], [20, 40]])
    for tracks, scores in (([0, 3], [.8, .5]), ([3, 5], [.2, .9]), ([0, 3], [.41, .24])):
        store.append(tracks=np.array(tracks), scores=np.array(scores, np.float32), masks=masks, shapes=shapes,
                     boxes=np.array([[.4, .3, .2, .1], [.8, .25, .08, .5]], np.float32))
    queries, trajectories, fitness = read_trajectories(store, visible_ratio=0.5)
    assert queries.tolist() == [0, 3]  # 5 is no longer a leader
    assert trajectories[..., 4].tolist() == [[1, 0, 1], [1, 0, 0]]
    torch.testing.assert_close(trajectories[0, 2, :4], torch.tensor([.5, .6, .25, .2]))
    torch.testing.assert_close(trajectories[1, 0, :4], torch.tensor([1., .5, .1, 1.]))
    torch.testing.assert_close(trajectories[1, 1, :4], torch.tensor([.5, .6, .25, .2]))
    logits = torch.tensor([.8, .41, .5]).logit()
    torch.testing.assert_close(fitness, torch.stack([logits[:2].mean(), logits[2]]))
    store.close()


def test_tracks_do_not_depend_on_windows():
    """One track per sentence, a mask or None per frame; equal for any window."""
    model = tracking_model()
    tracks = track_video(model, 5, 5, **SENTENCES)
    assert [track.label for track in tracks] == [0, 1]
    assert all(len(track.segmentations) == len(track.bboxes) == 5 for track in tracks)
    assert any(rle is not None for track in tracks for rle in track.segmentations)
    same_tracks(tracks, track_video(model, 5, 2, **SENTENCES))
    assert model.tracker.linkers == []


def test_looks_and_deeds_choose_together():
    """Weight 0 takes the best fitness; a head that is sure of one candidate takes that one."""
    looks = tracking_model(trajectory_weight=0.0, num_candidates=3)
    deeds = tracking_model(trajectory_weight=1.0, num_candidates=3)

    class Sure(torch.nn.Module):
        def __init__(self, chosen):
            super().__init__()
            self.chosen = chosen

        def forward(self, trajectories, tokens, token_mask):
            assert trajectories.shape == (3, 4, 5) and len(tokens) == len(token_mask) == 1
            return F.one_hot(torch.tensor([self.chosen]), 3) * 99.

    scores = {}
    for chosen in range(3):
        deeds.trajectory_head = looks.trajectory_head = Sure(chosen)
        scores[chosen] = [track.score for track in track_video(deeds, 4, 2, **SENTENCES)]
        best = [track.score for track in track_video(looks, 4, 2, **SENTENCES)]
        assert best == pytest.approx(scores[0])
    for first, second, third in zip(*scores.values()):
        assert first > second > third


def test_wrong_use_is_named():
    """No head, or a vocabulary in place of sentences."""
    model = tracking_model()
    with pytest.raises(ValueError, match='text_mode'):
        track_video(model, 2, 1)
    model.tracker.start()
    model.trajectory_head = None
    with pytest.raises(ValueError, match='trajectory_head'):
        track_video(model, 2, 1, **SENTENCES)

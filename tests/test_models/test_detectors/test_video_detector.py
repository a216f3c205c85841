"""GLEEVideo: streaming, memory, selection and clips in training."""
from unittest import mock

import numpy as np
import psutil
import pycocotools.mask as mask_utils
import pytest
import torch
import torch.nn.functional as F
from mini_video import SIZE, clip_of, moving_picture, same_tracks, square, track_video, video_model
from mmdet.structures import TrackDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from scipy.optimize import linear_sum_assignment

from projects.glee.models.data_preprocessors import BatchPrompts
from projects.glee.models.language_models.text_prompt import encode_category
from projects.glee.models.prompts.visual_prompter import VisualPrompt
from projects.glee.models.trackers import expression_tracker
from projects.glee.models.trackers.expression_tracker import choose_query, mask_probability

MINVIS = dict(type='MinVISTracker', max_candidates=12, in_memory_frames=2)


@pytest.fixture(scope='module')
def model():
    return video_model(MINVIS)


def test_windows_do_not_matter(model):
    """A frame at a time, windows of 3 and the whole video give the same tracks."""
    whole = track_video(model, 7, 7)
    same_tracks(whole, track_video(model, 7, 1))
    same_tracks(whole, track_video(model, 7, 3))
    assert any(rle is not None for track in whole for rle in track.segmentations)


@torch.no_grad()
def test_tracks_equal_an_offline_computation(model):
    """Scores, names and masks against the whole video at once, written out plainly."""
    length = 5
    tracks = track_video(model, length, 2)
    outputs = []
    for frame in range(length):
        sample = clip_of(range(1), 1)[0]
        outputs.append(model.forward(moving_picture(frame)[None], [sample], mode='tensor'))
    aligned, orders = [], []
    for output in outputs:
        current = output['embeddings'][0]
        if not aligned:
            order = np.arange(len(current))
        else:
            past = torch.stack(aligned[-3:]).mean(0)
            order = linear_sum_assignment(-F.cosine_similarity(past[:, None], current[None], dim=-1).numpy())[1]
        aligned.append(current[order])
        orders.append(order)
    logits = torch.stack([output['pred_logits'][0][order] for output, order in zip(outputs, orders)]).mean(0)
    scores, picked = logits.sigmoid().flatten().topk(min(30, logits.numel()))
    assert [track.score for track in tracks] == pytest.approx(scores.tolist(), abs=1e-5)
    assert [track.label for track in tracks] == (picked % 2).tolist()
    best = int(picked[0]) // 2
    for frame in range(length):
        mask = outputs[frame]['pred_masks'][0][orders[frame][best]].half().float()
        full = F.interpolate(mask[None, None], SIZE, mode='bilinear', align_corners=False)[..., :60, :90]
        full = F.interpolate(full, (120, 180), mode='bilinear', align_corners=False)[0, 0] > 0
        rle = tracks[0].segmentations[frame]
        got = mask_utils.decode(rle) if rle else np.zeros((120, 180), np.uint8)
        union = np.logical_or(got, full.numpy()).sum()
        assert np.logical_xor(got, full.numpy()).sum() <= 0.01 * max(union, 1)


def test_one_name_per_track_and_frame_filters(model):
    """TAO's selection: distinct tracks, no overlapping boxes in a frame, tiny masks left out."""
    tao = video_model(dict(MINVIS, one_name_per_track=True, max_per_video=8, frame_nms=0.5, min_mask_pixels=5))
    plain = video_model(dict(MINVIS, one_name_per_track=True, max_per_video=8))
    tracks, unfiltered = track_video(tao, 3, 3), track_video(plain, 3, 3)
    assert [t.score for t in tracks] == pytest.approx([t.score for t in unfiltered])
    hidden = 0
    for frame in range(3):
        boxes = [t.bboxes[frame] for t in tracks if t.bboxes[frame] is not None]
        hidden += sum(t.bboxes[frame] is not None for t in unfiltered) - len(boxes)
        corners = torch.tensor(boxes)
        for i in range(len(boxes)):
            for j in range(i):
                lt = torch.maximum(corners[i, :2], corners[j, :2])
                rb = torch.minimum(corners[i, 2:], corners[j, 2:])
                inter = (rb - lt).clamp(min=0).prod()
                area = (corners[[i, j], 2:] - corners[[i, j], :2]).prod(1).sum()
                assert inter / (area - inter) <= 0.5
    assert hidden > 0


def test_weak_tracks_are_left_out(model):
    """``min_score`` keeps the better tracks as they are; above all scores nothing is left."""
    whole = track_video(model, 2, 2)
    limit = whole[len(whole) // 2].score
    kept = track_video(video_model(dict(MINVIS, min_score=limit - 1e-6)), 2, 2)
    assert 0 < len(kept) < len(whole)
    same_tracks(kept, [track for track in whole if track.score >= limit - 1e-6])
    assert track_video(video_model(dict(MINVIS, min_score=1.0, frame_nms=0.5)), 2, 2) == []


def test_a_window_out_of_order_is_an_error(model):
    """Frames must arrive one after the other."""
    with pytest.raises(ValueError, match='WindowSampler'):
        model.predict(torch.zeros(1, 1, 3, *SIZE), [clip_of(range(4, 5), 9, video_id=3)])


@torch.no_grad()
def test_memory_does_not_grow_with_the_video(model, monkeypatch):
    """Buffers after 100 and after 2,000 frames are equal, and the process stays as large."""
    tracker, process = model.tracker, psutil.Process()
    outputs = model.panoptic_head.decode(
        model.extract_feat(moving_picture(0)[None]), encode_category(model.panoptic_head.text_encoder, ['a', 'b'], 1),
        last_only=True)
    monkeypatch.setattr(model, 'extract_feat', lambda inputs: None)
    monkeypatch.setattr(model.panoptic_head, 'decode', lambda *args, **kwargs: outputs)
    tracker.start()
    buffers, resident = {}, {}
    sample = clip_of(range(1), 1).video_data_samples
    for frame in range(1, 2001):
        tracker.update(model, torch.zeros(1), sample)
        if frame in (100, 2000):
            buffers[frame] = tracker.store.nbytes + tracker.logit_sum.nbytes + sum(
                past.nbytes for past in tracker.linker.memory)
            resident[frame] = process.memory_info().rss / 2**20
    assert buffers[100] == buffers[2000]
    assert resident[2000] - resident[100] < 10  # MB; the stored masks alone would be 18
    assert len(tracker.store) == 2000
    tracker.start()


def test_expressions_follow_the_similar_query():
    """The previous choice decides between queries that fit the expression alike."""
    embeddings = torch.eye(3)
    scores = torch.tensor([0.5, 0.4, 0.1])
    assert int(choose_query(scores, embeddings, None, 1.0)) == 0
    assert int(choose_query(scores, embeddings, embeddings[2], 1.0)) == 2
    assert int(choose_query(scores, embeddings, embeddings[2], 0.0)) == 0
    assert int(choose_query(scores, embeddings, embeddings[2] * 5, 0.35)) == 0  # 0.1 + 0.35 < 0.5


def test_expression_tracks_do_not_depend_on_windows():
    """Two expressions, one track each, a mask per frame; equal for any window."""
    model = video_model(dict(type='ExpressionTracker'))
    meta = dict(text=('the red star', 'the ring that moves left'), text_mode='expression')
    tracks = track_video(model, 5, 5, **meta)
    assert [track.label for track in tracks] == [0, 1]
    assert all(len(track.segmentations) == 5 for track in tracks)
    same_tracks(tracks, track_video(model, 5, 2, **meta))


@pytest.mark.parametrize('owner', ['threshold', 'product'])
def test_a_pixel_belongs_to_one_expression(owner):
    """Against the argmax over background and all expressions, whose probabilities come from one of them at a time."""
    meta = dict(text=('the red star', 'the ring that moves left', 'a star'), text_mode='expression')
    tracker = dict(type='ExpressionTracker', owner=owner)
    tracks = track_video(video_model(tracker), 3, 2, **meta)
    probabilities = []
    for sentence in meta['text']:
        with mock.patch.object(expression_tracker, 'mask_probability', wraps=mask_probability) as seen:
            track_video(video_model(tracker), 3, 3, **dict(meta, text=(sentence, )))
        probabilities.append(torch.stack([mask_probability(*call.args) for call in seen.call_args_list]))
    p = torch.stack(probabilities)
    product = owner == 'product'
    background = (1 - p).prod(0) if product else torch.full_like(p[0], 0.1)
    winners = torch.cat([background[None], p if product else torch.where(p < 0.5, 0, p)]).argmax(0).numpy()
    overlaps = (p >= 0.5).sum(0) > 1
    assert overlaps.any() and {0, 1} < set(np.unique(winners))
    for number, track in enumerate(tracks, 1):
        owned = np.stack([mask_utils.decode(rle) if rle else np.zeros(winners.shape[1:]) for rle in track.owned])
        assert np.array_equal(owned.astype(bool), winners == number)
    with pytest.raises(ValueError, match="owner='first'"):
        video_model(dict(tracker, owner='first'))


@pytest.mark.parametrize('length, calls', [(1, 2), (2, 2), (16, 4)])
def test_expressions_pass_together_as_memory_lets_them(length, calls):
    """Three at a time by their number; one at a time where their frames are many; the numbers of single ones."""
    model = video_model(dict(type='ExpressionTracker'))
    decoder = model.panoptic_head.prompt_decoder
    clip = clip_of(range(length), length, text=('a star', 'the red ring', 'a square', 'a cross'),
                   text_mode='expression')
    inputs = torch.randn(length, 3, *SIZE)
    for sample in clip.video_data_samples:
        sample.set_metainfo(dict(img_shape=SIZE, ori_shape=SIZE, batch_input_shape=SIZE))
    found = []
    for decoder.chunk in (1, 3):
        decoder.chunk_pixels = 8 * 8 * SIZE[0] * SIZE[1]
        with torch.no_grad(), mock.patch.object(
                model.panoptic_head, 'decode', wraps=model.panoptic_head.decode) as decode:
            _, outputs = model.tracker.decode_expressions(model, inputs, clip.video_data_samples)
            found.append(list(outputs))
        assert decode.call_count == (4 if decoder.chunk == 1 else calls)
    for single, together in zip(*found):
        assert together.mask_features.shape[0] == together.memory.content.shape[0] == length
        for key, value in single.predictions[''].items():
            torch.testing.assert_close(together.predictions[''][key], value, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.mask_features, single.mask_features, rtol=1e-4, atol=1e-5)


def test_an_absent_object_gives_no_mask():
    """Below ``min_score`` nothing is segmented."""
    model = video_model(dict(type='ExpressionTracker', min_score=1.0))
    tracks = track_video(model, 2, 1, text=('a star', ), text_mode='expression')
    assert tracks[0].segmentations == tracks[0].owned == [None, None]


def training_clip(ids, seed=0):
    """A clip whose frames hold 20 px squares with the identities ``ids`` (per frame a list)."""
    clip = clip_of(range(len(ids)), len(ids), supervision=('semantic', 'box', 'mask', 'track'),
                   label_table='coco', source='ytvis')
    generator = np.random.default_rng(seed)
    for frame, frame_ids in zip(clip.video_data_samples, ids):
        frame.set_metainfo(dict(img_shape=SIZE, ori_shape=SIZE))
        corners = generator.integers(0, 40, (len(frame_ids), 2))
        masks = np.zeros((len(frame_ids), *SIZE), np.uint8)
        for mask, (x, y) in zip(masks, corners):
            mask[y:y + 20, x:x + 20] = 1
        frame.gt_instances = InstanceData(
            bboxes=torch.from_numpy(np.concatenate([corners, corners + 20], 1)).float(),
            labels=torch.zeros(len(frame_ids), dtype=torch.long),
            instances_ids=torch.tensor(frame_ids, dtype=torch.long),
            masks=BitmapMasks(masks, *SIZE))
    return clip


def test_clips_train_through_the_same_losses():
    """Losses of a clip are those of its frames as images, plus the tracking loss."""
    model = video_model(MINVIS).train()
    model.panoptic_head.denoising = None
    clips = [training_clip([[1, 2], [2, 1, 5]]), training_clip([[9], []], seed=1)]
    pictures = torch.stack([moving_picture(i) for i in range(4)]).unflatten(0, (2, 2))
    torch.manual_seed(3)
    losses = model(pictures, clips, mode='loss')
    frames = [frame for clip in clips for frame in clip.video_data_samples]
    model.zero_grad()
    torch.manual_seed(3)
    still = model(pictures.flatten(0, 1), frames, mode='loss')
    assert set(losses) - set(still) == {'loss_track'}
    for name, value in still.items():
        torch.testing.assert_close(losses[name], value, rtol=1e-4, atol=1e-5)
    assert float(losses['loss_track'].detach()) > 0
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.panoptic_head.parameters() if p.requires_grad)


@pytest.mark.parametrize('prompted', [False, True])
@pytest.mark.parametrize('as_clips', [False, True])
def test_every_parameter_has_a_gradient_with_a_trajectory_head(as_clips, prompted):
    """As several processes need it that reduce gradients without looking for unused parameters."""
    model = video_model(MINVIS, trajectory_head=dict(type='TrajectoryHead', text_dims=64)).train()
    clips = [training_clip([[1, 2], [2, 1, 5]]), training_clip([[9], [9]], seed=1)]
    for clip in clips if prompted else ():
        for frame in clip.video_data_samples:
            frame.set_metainfo(dict(prompt_prob=1.0))
    samples = clips if as_clips else [clip[0] for clip in clips]
    pictures = [torch.zeros(2, 3, *SIZE, dtype=torch.uint8)[slice(None) if as_clips else 0] for _ in clips]
    batch = model.data_preprocessor(dict(inputs=pictures, data_samples=samples), training=True)
    total, _ = model.parse_losses(model(**batch, mode='loss'))
    total.backward()
    assert [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
    assert not any(p.grad.any() for p in model.trajectory_head.parameters())


def test_preprocessor_pads_frames_of_different_sizes_together():
    """Clips keep their structure; images still pass."""
    model = video_model(MINVIS)
    clip = training_clip([[1], [1]])
    clip[1].set_metainfo(dict(img_shape=(50, 70)))
    clip[1].gt_instances.masks = BitmapMasks(clip[1].gt_instances.masks.masks[:, :50, :70], 50, 70)
    pictures = torch.full((2, 3, *SIZE), 200, dtype=torch.uint8)
    batch = model.data_preprocessor(dict(inputs=[pictures], data_samples=[clip]), training=True)
    assert batch['inputs'].shape == (1, 2, 3, *SIZE)
    assert (batch['inputs'][0, 1, :, 50:] == 0).all() and (batch['inputs'][0, 1, :, :, 70:] == 0).all()
    assert (batch['inputs'][0, 1, :, :50, :70] != 0).all() and (batch['inputs'][0, 0] != 0).all()
    assert isinstance(batch['data_samples'][0], TrackDataSample)
    assert batch['data_samples'][0][1].gt_instances.masks.masks.shape == (1, *SIZE)
    image = model.data_preprocessor(
        dict(inputs=[pictures[0]], data_samples=[training_clip([[1]])[0]]), training=True)
    assert image['inputs'].shape == (1, 3, *SIZE)


@pytest.mark.parametrize('own', [None, dict(mask=0.9, box=0.005, point=0.095)])
def test_kinds_of_prompted_clips_are_those_of_their_source(own):
    """By default masks alone; 2,000 clips of a source with its own kinds, within four standard deviations."""
    augment, clip = BatchPrompts(), training_clip([[1, 2], [2, 1]])
    for frame in clip.video_data_samples:
        frame.set_metainfo(dict(prompt_prob=1.0, **({} if own is None else dict(prompt_kinds=own))))
    torch.manual_seed(0)
    kinds = []
    for _ in range(2000 if own else 50):
        copied = TrackDataSample()
        copied.video_data_samples = [frame.clone() for frame in clip.video_data_samples]
        augment(torch.zeros(1, 2, 3, *SIZE), [copied])
        kinds += copied[0].prompts.kinds
    expected = own or dict(mask=1.0)
    assert set(kinds) <= set(expected)
    for kind, share in expected.items():
        assert abs(kinds.count(kind) / len(kinds) - share) <= 4 * np.sqrt(share * (1 - share) / len(kinds))


def test_a_point_prompt_of_a_clip_has_up_to_so_many_clicks():
    """A point is the rectangle of 2 x 4 px; with one click it never has more pixels."""
    sizes = {}
    for max_points in (1, 20):
        point, sizes[max_points] = BatchPrompts(clip_kinds=dict(point=1.), max_points=max_points), []
        torch.manual_seed(0)
        for _ in range(20):
            clip = training_clip([[1], [1]])
            clip[0].set_metainfo(dict(prompt_prob=1.))
            point(None, [clip])
            sizes[max_points].append(int(clip[0].prompts.masks.sum()))
    assert max(sizes[1]) <= 8 < max(sizes[20])


def test_prompted_clips_train_one_object_in_all_frames():
    """The simulated prompt stands in the first frame and only its identity is left."""
    model = video_model(MINVIS).train()
    clips = [training_clip([[1, 2], [2, 1, 5]]), training_clip([[9], []], seed=1)]
    for clip in clips:
        for frame in clip.video_data_samples:
            frame.set_metainfo(dict(prompt_prob=1.0))
    pictures = [torch.zeros(2, 3, *SIZE, dtype=torch.uint8) for _ in clips]
    batch = model.data_preprocessor(dict(inputs=pictures, data_samples=clips), training=True)
    first, second = batch['data_samples']
    chosen = first[0].gt_instances.instances_ids
    assert len(chosen) == 1 and first[1].gt_instances.instances_ids.tolist() == chosen.tolist()
    assert len(second[0].gt_instances) == 1 and len(second[1].gt_instances) == 0
    assert 'prompts' in first[0] and 'prompts' not in first[1]
    torch.testing.assert_close(
        first[0].prompts.masks[0].numpy(), first[0].gt_instances.masks.masks[0].astype(bool))
    losses = model(batch['inputs'], batch['data_samples'], mode='loss')
    assert float(losses['loss_track'].detach()) == 0 and float(losses['loss_conf'].detach()) > 0
    sum(losses.values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.panoptic_head.prompter.parameters())


@torch.no_grad()
def test_frames_of_a_clip_read_the_points_of_the_first():
    """Point tokens with ``point_rows`` are those of the first frame's levels."""
    prompter = video_model(MINVIS).panoptic_head.prompter
    levels = [torch.randn(4, 64, *size) for size in ((8, 12), (4, 6), (2, 3), (1, 2))]
    masks = torch.stack([square(5, 5), square(5, 5), square(40, 20), square(40, 20)])
    rows = torch.tensor([0, 0, 2, 2])
    shared = prompter.point_tokens(levels, VisualPrompt(torch.zeros(4, 1, 64), masks, masks & False, point_rows=rows))
    own = prompter.point_tokens([level[rows] for level in levels],
                                VisualPrompt(torch.zeros(4, 1, 64), masks, masks & False))
    for a, b in zip(shared.levels, own.levels):
        torch.testing.assert_close(a, b)

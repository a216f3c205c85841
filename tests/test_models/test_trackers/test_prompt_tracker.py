"""Objects that are pointed at and followed: windows, texts, references, empty masks, chunks, merging."""

import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from mini_video import SIZE, clip_of, moving_picture, same_tracks, square, video_model
from mmengine.structures import InstanceData

from projects.glee.models.detectors import GLEE
from projects.glee.models.trackers.object_merge import ObjectMerge


def give_masks(sample, masks, ids, kind='mask'):
    """Point at objects of a frame."""
    masks = torch.stack(masks)
    sample.prompts = InstanceData(masks=masks, neg_masks=torch.zeros_like(masks), kinds=[kind] * len(ids),
                                  object_ids=torch.arange(len(ids)), instance_ids=torch.tensor(ids))


@torch.no_grad()
def follow(model, window, length=5, objects=((0, 7, (10, 10)), (2, 9, (50, 30)))):
    """Tracks of objects (first frame, identity, corner), given in windows."""
    for start in range(0, length, window):
        frames = range(start, min(start + window, length))
        clip = clip_of(frames, length, text=('object', ))
        for sample in clip.video_data_samples:
            new = [(identity, square(*corner)) for frame, identity, corner in objects if frame == sample.frame_id]
            if new:
                give_masks(sample, [mask for _, mask in new], [identity for identity, _ in new])
        model.predict(torch.stack([moving_picture(frame) for frame in frames])[None], [clip])
    return clip.pred_tracks


@pytest.mark.parametrize('memory', ['first', 'first+previous'])
def test_prompted_objects_are_followed_in_windows_of_any_size(memory):
    """Identities, late objects, disjoint masks; the given mask is the result of its frame."""
    model = video_model(dict(type='PromptTracker', memory=memory))
    tracks = follow(model, 5)
    assert [track.instance_id for track in tracks] == [7, 9]
    assert all(len(track.segmentations) == 5 for track in tracks)
    assert tracks[1].segmentations[:2] == [None, None]  # appears in frame 2
    given = mask_utils.decode(tracks[0].segmentations[0]).astype(bool)
    assert given[22:50, 22:50].all() and given.sum() == pytest.approx(32 * 32, rel=0.15)  # twice the input size
    for one, other in zip(tracks[0].segmentations, tracks[1].segmentations):
        if one and other:
            assert mask_utils.area(mask_utils.merge([one, other], intersect=True)) == 0
    same_tracks(tracks, follow(model, 2))
    assert not model.tracker.objects  # nothing is left for the next video


def test_sixty_objects_are_followed():
    """More objects than pass the decoder at once; every one keeps its own result."""
    model = video_model(dict(type='PromptTracker'))
    places = [(0, i + 1, (8 * (i % 10), 9 * (i // 10))) for i in range(60)]
    tracks = follow(model, 2, length=2, objects=places)
    assert [track.instance_id for track in tracks] == list(range(1, 61))


def track_prompts(model, length=3, **prompts):
    """Tracks of a still video whose first frame has these prompts."""
    clip = clip_of(range(length), length, text=('object', ))
    clip[0].prompts = InstanceData(**prompts)
    with torch.no_grad():
        model.predict(moving_picture(0).expand(1, length, -1, -1, -1), [clip])
    return clip.pred_tracks


def still_image(model, **prompts):
    """The objects of one of its frames, as of an image."""
    sample = clip_of(range(1), 1, text=('object', ))[0]
    sample.prompts = InstanceData(**prompts)
    with torch.no_grad():
        return GLEE.predict(model, moving_picture(0)[None], [sample])[0].pred_instances


def test_described_objects_are_followed_among_others():
    """Words alone, words beside a box, a box alone: in every frame what a picture with these prompts gives."""
    model = video_model(dict(type='PromptTracker'))
    model.panoptic_head.prompt_decoder.composer.pos_weight = 0.  # later frames have no pixels that point
    nowhere = torch.zeros(SIZE, dtype=torch.bool)
    given = dict(masks=torch.stack([nowhere, square(20, 20), square(20, 20)]), kinds=['mask', 'box', 'box'],
                 texts=['the red star', 'the red star', None])
    tracks, found = track_prompts(model, **given), still_image(model, **given)
    assert [len(track.segmentations) for track in tracks] == [3, 3, 3]
    for track in tracks:
        assert len({str(rle) for rle in track.segmentations}) == 1  # the video is still
    for index, track in enumerate(tracks):
        alone = track_prompts(model, **{key: value[index:index + 1] for key, value in given.items()})[0]
        assert track.score == pytest.approx(alone.score, abs=1e-5)
        mask = mask_utils.decode(alone.segmentations[1]).astype(bool) if alone.segmentations[1] else (
            np.zeros((120, 180), bool))
        assert np.logical_xor(mask, found.masks[index].numpy()).sum() <= 0.01 * mask.size
    assert len({round(track.score, 6) for track in tracks}) == 3


def test_a_reference_is_followed():
    """It counts in every frame, alone and beside pixels."""
    model = video_model(dict(type='PromptTracker'))
    decoder = model.panoptic_head.prompt_decoder
    with torch.no_grad():
        sample = clip_of(range(1), 1, text=('object', ))[0]
        give_masks(sample, [square(40, 10)], [1])
        feats, _, objects = model._head_inputs(moving_picture(0, seed=1)[None], [sample])
        reference = decoder.encode_reference(feats, objects, ('object', ))
    nowhere = torch.zeros(SIZE, dtype=torch.bool)
    given = dict(masks=torch.stack([nowhere, square(20, 20), square(20, 20)]), kinds=['box'] * 3,
                 refs=[reference, reference, None])
    tracks = track_prompts(model, **given)
    assert len({round(track.score, 6) for track in tracks}) == 3
    for index, track in enumerate(tracks):
        alone = track_prompts(model, **{key: value[index:index + 1] for key, value in given.items()})[0]
        assert track.score == pytest.approx(alone.score, abs=1e-5)


@pytest.mark.parametrize('memory', ['first', 'first+previous'])
def test_an_object_with_an_empty_mask_is_in_no_frame(memory):
    """Among others and alone; a later prompt for it starts it."""
    model = video_model(dict(type='PromptTracker', memory=memory))
    nowhere = torch.zeros(SIZE, dtype=torch.bool)
    first, second = track_prompts(model, masks=torch.stack([nowhere, square(20, 20)]), kinds=['mask'] * 2)
    assert first.segmentations == [None] * 3 and first.score == 0 and second.segmentations[0] is not None
    assert second.score == pytest.approx(track_prompts(model, masks=square(20, 20)[None], kinds=['mask'])[0].score)
    assert track_prompts(model, masks=nowhere[None], kinds=['mask'])[0].segmentations == [None] * 3
    clip = clip_of(range(2), 2, text=('object', ))
    give_masks(clip[0], [nowhere], [5])
    give_masks(clip[1], [square(20, 20)], [5])
    with torch.no_grad():
        model.predict(moving_picture(0).expand(1, 2, -1, -1, -1), [clip])
    assert [rle is None for rle in clip.pred_tracks[0].segmentations] == [True, False]


def test_prompts_of_a_frame_are_encoded_in_chunks():
    """Twenty objects: three passes to start them, and three through both decoders to find them in each frame."""
    model, calls = video_model(dict(type='PromptTracker')), dict(encode=[], decode=[])
    head = model.panoptic_head
    head.pixel_decoder.register_forward_hook(lambda _, inputs, __: calls['encode'].append(len(inputs[1])))
    head.decoder.register_forward_hook(lambda _, inputs, __: calls['decode'].append(len(inputs[0])))
    places = [(0, i + 1, (8 * (i % 10), 9 * (i // 10))) for i in range(20)]
    follow(model, 2, length=2, objects=places)
    assert calls['encode'] == [8, 8, 4] * 3 and calls['decode'] == [8, 8, 4] * 2


@torch.no_grad()
def test_first_frame_prompt_is_that_of_every_frame():
    """A still video: the query chosen in a later frame is the one that a still image with the prompt gives."""
    model = video_model(dict(type='PromptTracker'))
    model.panoptic_head.prompt_decoder.composer.pos_weight = 0.  # later frames have no pixels that point
    picture, mask = moving_picture(0), square(20, 20)
    still = clip_of(range(1), 1, text=('object', ))[0]
    give_masks(still, [mask], [1])
    image = GLEE.predict(model, picture[None], [still])[0].pred_instances
    clip = clip_of(range(3), 3, text=('object', ))
    give_masks(clip[0], [mask], [1])
    model.predict(picture.expand(1, 3, -1, -1, -1), [clip])
    track = clip.pred_tracks[0]
    for rle in track.segmentations[1:]:
        found = mask_utils.decode(rle).astype(bool) if rle else np.zeros((120, 180), bool)
        assert np.logical_xor(found, image.masks[0].numpy()).sum() <= 0.01 * found.size
    assert track.score == pytest.approx(float(model.panoptic_head.prompt_decoder.composer.visual_probability(
        *_prompted_heads(model, picture, still)).max()), abs=1e-4)


def _prompted_heads(model, picture, sample):
    """Confidence and class logits of a still image with a prompt."""
    raw = model(picture[None], [sample], mode='tensor')
    return raw['pred_scores'], raw['pred_logits']


def test_merging_by_hand():
    """Background is the product of 1 - p; the larger object wins elsewhere."""
    merge = ObjectMerge((1, 4))
    merge.add(torch.tensor([[0.4, 0.6, 0.9, 0.45]]))
    merge.add(torch.tensor([[0.4, 0.7, 0.2, 0.5]]))
    first, second = merge.masks()
    # backgrounds: 0.36, 0.12, 0.08, 0.275
    assert first.tolist() == [[True, False, True, False]]
    assert second.tolist() == [[False, True, False, True]]
    lonely = ObjectMerge((1, 2))
    lonely.add(torch.tensor([[0.49, 0.51]]))
    assert next(iter(lonely.masks())).tolist() == [[False, True]]

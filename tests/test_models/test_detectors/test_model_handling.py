"""What users do with a model: copy it, pickle it, move it, change its precision, build it anywhere."""
import copy
import pickle
from typing import Iterator

import pytest
import torch
from mini_model import build, category_sample, images, mini_config
from mmengine.structures import InstanceData
from torch import Tensor
from video_fixtures import SIZE, clip_of, moving_picture, same_tracks, video_model

LENGTH = 6
EXPRESSIONS = dict(text=('a red star', 'the ring'), text_mode='expression')
# of every tracker: its config, what the frames of its video say, and whether objects are pointed at
TRACKERS = {
    'MinVISTracker': (dict(max_candidates=12, in_memory_frames=1), {}, False),
    'ExpressionTracker': ({}, EXPRESSIONS, False),
    'TrajectoryTracker': (dict(max_candidates=12, in_memory_frames=1), EXPRESSIONS, False),
    'PromptTracker': (dict(memory='first+previous'), dict(text=('object', )), True),
}


def tracking_model(name: str):
    head = dict(type='TrajectoryHead', text_dims=64) if name == 'TrajectoryTracker' else None
    return video_model(dict(type=name, **TRACKERS[name][0]), trajectory_head=head)


@torch.no_grad()
def track(model, name: str, frames: range):
    """Give the frames to the model, two at a time; the tracks, where the video ends."""
    _, meta, prompted = TRACKERS[name]
    for start in range(frames.start, frames.stop, 2):
        window = range(start, start + 2)
        clip = clip_of(window, LENGTH, **meta)
        if prompted and start == 0:
            masks = torch.zeros(2, *SIZE, dtype=torch.bool)
            masks[0, 10:26, 10:26] = masks[1, 30:46, 50:66] = True
            clip[0].prompts = InstanceData(masks=masks, kinds=['mask'] * 2, instance_ids=torch.tensor([7, 9]))
        model.predict(torch.stack([moving_picture(frame) for frame in window])[None], [clip])
    return clip.get('pred_tracks')


def tensors_of(value, seen: set | None = None) -> Iterator[tuple[str, Tensor]]:
    """Every tensor that can be reached from a value through attributes, containers and closures, with its path."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, (str, bytes, int, float, type(torch))):
        return
    seen.add(id(value))
    if isinstance(value, Tensor):
        yield '', value
        return
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, (list, tuple, set)):
        parts = enumerate(value)
    else:
        parts = getattr(value, '__dict__', {}).items()
    for key, part in list(parts):
        for path, tensor in tensors_of(part, seen):
            yield f'.{key}{path}', tensor


@pytest.mark.parametrize('duplicate', [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
                         ids=['deepcopy', 'pickle'])
@pytest.mark.parametrize('name', TRACKERS)
def test_a_copy_in_mid_video_goes_on_by_itself(name, duplicate):
    """Copy and original end the video each on its own, with the tracks of an undisturbed one."""
    model = tracking_model(name)
    expected = track(model, name, range(LENGTH))
    track(model, name, range(4))
    twin = duplicate(model)
    same_tracks(track(model, name, range(4, LENGTH)), expected)
    same_tracks(track(twin, name, range(4, LENGTH)), expected)
    same_tracks(track(twin, name, range(LENGTH)), expected)


@pytest.mark.parametrize('name', TRACKERS)
def test_nothing_stays_behind_when_a_model_moves_in_mid_video(name):
    """Weights, buffers, cached text and what trackers keep: no tensor that can be reached is on the old device."""
    model = tracking_model(name)
    track(model, name, range(4))
    assert any('tracker' in path for path, _ in tensors_of(model))
    model.to('meta')
    assert [path for path, tensor in tensors_of(model) if tensor.device.type != 'meta'] == []


@torch.no_grad()
def scores_of(model, seed=0):
    return model(images(1, seed), [category_sample()], mode='predict')[0].pred_instances.scores


def test_a_model_of_inference_mode_works_outside_of_it():
    """Built there or copied there, it predicts like another one, and not from names of weights it no longer has."""
    normal = build(mini_config()).eval()
    expected = scores_of(normal)
    with torch.inference_mode():
        built, copied = build(mini_config()).eval(), copy.deepcopy(normal)
        assert next(built.parameters()).is_inference() and next(copied.parameters()).is_inference()
        inside = scores_of(built)
    for model in (built, copied):
        torch.testing.assert_close(scores_of(model), expected)
    torch.testing.assert_close(inside, expected)
    other = build(mini_config(), seed=1).eval()
    with torch.inference_mode():
        built.load_state_dict(other.state_dict())
        torch.testing.assert_close(scores_of(built), scores_of(other))
    torch.testing.assert_close(scores_of(built), scores_of(other))
    assert not torch.allclose(scores_of(other), expected)

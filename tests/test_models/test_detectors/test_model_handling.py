"""What users do with a model: copy it, pickle it, move it, change its precision, build it anywhere."""
import copy
import pickle
from typing import Iterator

import numpy as np
import pytest
import torch
from mini_model import build, category_sample, expression_sample, images, mini_config
from mini_video import SIZE, clip_of, moving_picture, same_tracks, video_model
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from projects.glee.apis import InteractiveSession

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


def prompted_sample() -> DetDataSample:
    """Objects given by pixels of both signs with a mask of an earlier round, by pixels and words, and by words."""
    sample = category_sample()
    masks = torch.zeros(3, *SIZE, dtype=torch.bool)
    masks[0, 10:20, 10:30] = masks[1, 40:50, 50:60] = True
    negative = torch.zeros_like(masks)
    negative[0, 30:34, 60:64] = True
    previous = [torch.randn(SIZE[0] // 4, SIZE[1] // 4, generator=torch.Generator().manual_seed(0)), None, None]
    sample.prompts = InstanceData(masks=masks, neg_masks=negative, kinds=['scribble', 'box', 'point'],
                                  prev_logits=previous, texts=[None, 'the ring', 'a red star'])
    return sample


SAMPLES = dict(names=category_sample, sentences=lambda: expression_sample('a red star', 'the ring'),
               prompts=prompted_sample)


@pytest.fixture(scope='module')
def everything():
    """Every module that a prediction can use, in float32; trained gates, so that no part is a silent zero."""
    cfg = mini_config()
    cfg.panoptic_head.prompter.update(
        negative_tokens=True, memory=dict(type='MemoryPromptEncoder', num_heads=4),
        dense=dict(type='MaskFeatureRefiner', hidden_dims=16))
    model = build(cfg).eval()
    prompter = model.panoptic_head.prompter
    with torch.no_grad():
        prompter.memory.gate.fill_(0.1)
        prompter.dense.change.weight.normal_(std=0.01)
    return model


@pytest.mark.parametrize('what', SAMPLES)
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16, torch.float64])
@torch.no_grad()
def test_predictions_in_other_precisions_are_near_those_in_float32(everything, dtype, what):
    """Raw outputs of the queries that both choose, within the rounding of the precision; results come in float32."""
    model = copy.deepcopy(everything).to(dtype)
    floats = [value for value in (*model.parameters(), *model.panoptic_head.buffers()) if value.is_floating_point()]
    assert {value.dtype for value in floats} == {dtype}
    results = model(images(1), [SAMPLES[what]()], mode='predict')[0].pred_instances
    expected = everything(images(1), [SAMPLES[what]()], mode='predict')[0].pred_instances
    assert results.scores.dtype == results.bboxes.dtype == torch.float32 and results.masks.dtype == torch.bool
    rounding = torch.finfo(dtype).eps
    torch.testing.assert_close(results.scores[0], expected.scores[0], atol=4 * rounding + 1e-5, rtol=0)
    sample = expression_sample('the ring') if what == 'sentences' else SAMPLES[what]()
    if what == 'prompts':
        sample.prompts = sample.prompts[:1]  # raw tensors are of objects with the same prompts
    raw, exact = (each(images(1), [sample], mode='tensor') for each in (model, everything))
    index, reference = raw['topk_indices'][0].tolist(), exact['topk_indices'][0].tolist()
    shared = [(index.index(position), row) for row, position in enumerate(reference) if position in index]
    assert len(shared) > 0.8 * len(reference)
    rows, exact_rows = (list(numbers) for numbers in zip(*shared))
    for key in ('pred_logits', 'pred_boxes', 'pred_masks', 'embeddings'):
        error = (raw[key][0, rows] - exact[key][0, exact_rows]).abs().median() / exact[key].std()
        assert error < 16 * rounding + 1e-5, key


@pytest.mark.parametrize('name', TRACKERS)
@torch.no_grad()
def test_videos_are_tracked_in_half_precision(name):
    model = tracking_model(name).bfloat16()
    found = track(model, name, range(LENGTH))
    expected = track(tracking_model(name), name, range(LENGTH))
    assert found and found[0].score == pytest.approx(expected[0].score, abs=0.03)
    assert all(len(result.segmentations) == LENGTH for result in found)


@torch.no_grad()
def test_pictures_are_normalised_in_full_precision():
    """Whatever the weights: mean and standard deviation of the released models have no bfloat16."""
    model = build(mini_config())
    data = dict(inputs=[torch.full((3, 8, 8), 124, dtype=torch.uint8)], data_samples=None)
    expected = model.data_preprocessor(copy.copy(data), False)['inputs']
    for change in (model.bfloat16, model.half, lambda: model.to('meta').to_empty(device='cpu')):
        change()
        assert {buffer.dtype for buffer in model.data_preprocessor.buffers()} == {torch.float32}
    model = build(mini_config()).bfloat16()
    assert torch.equal(model.data_preprocessor(copy.copy(data), False)['inputs'], expected)


@pytest.mark.parametrize('reference_as', ['name', 'tokens'])
@torch.no_grad()
def test_a_session_in_half_precision_takes_a_reference_of_a_full_one(reference_as):
    """Clicks of both signs, names of a mask, panoptic maps, and an object that a float32 model encoded."""
    cfg = mini_config()
    cfg.panoptic_head.composer.reference_as = reference_as
    model = build(cfg).eval()
    picture = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    saved, scores = None, []
    for dtype in (torch.float32, torch.bfloat16):
        session = InteractiveSession(model.to(dtype), vocabulary=('ring', 'star'), scale=(96, 64))
        session.set_image(picture)
        saved = saved or session.encode_reference(points=[(20, 20)])
        pet = session.add(points=[(20, 20)])
        scores.append([pet.score, session.add(reference=saved).score, session.add(reference=saved, text='ring').score])
        session.refine(pet.id, points=[(50, 30, -1)])
        assert session.label(pet.mask if pet.mask.any() else pet.id, top_k=2) is not None
        assert session.panoptic(('ring', 'star'), ('sky', ))[0].shape == (60, 90)
    assert scores[1] == pytest.approx(scores[0], abs=0.03)

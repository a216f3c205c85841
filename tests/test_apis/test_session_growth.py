"""What stays in memory after many calls: nothing per call, bounded caches, small rounds."""
import gc
import weakref
from collections import deque

import numpy as np
import pytest
import torch
from config_runs import load
from mini_video import video_model
from sessions import picture

from projects.glee.apis import GLEEInferencer, InteractiveSession, VideoSession
from projects.glee.apis.picture_geometry import PictureGeometry


def kept_bytes(value, known=None):
    """Bytes of arrays, tensors and texts that can be reached from a value, each storage once; models are left out."""
    known = set() if known is None else known
    if id(value) in known or isinstance(value, (torch.nn.Module, type)) or callable(value):
        return 0
    known.add(id(value))
    if isinstance(value, torch.Tensor):
        storage = value.untyped_storage()
        key = ('storage', storage.data_ptr())
        return 0 if key in known or known.add(key) else storage.nbytes()
    if isinstance(value, np.ndarray):
        return value.nbytes if value.base is None else kept_bytes(value.base, known)
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, dict):
        return sum(kept_bytes(part, known) for part in (*value.keys(), *value.values()))
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return sum(kept_bytes(part, known) for part in value)
    return kept_bytes(vars(value), known) if hasattr(value, '__dict__') else 8


def test_the_measure_itself():
    whole, row = torch.zeros(100, 10), np.zeros((9, 9))
    assert kept_bytes([whole[0], whole[1]]) == 4000 and kept_bytes([row[:2], row[3:]]) == 648
    assert kept_bytes(dict(ab='cde')) == 5 and kept_bytes(torch.nn.Linear(3, 3)) == 0


@pytest.fixture(scope='module')
def inferencer(tmp_path_factory):
    torch.manual_seed(0)
    return GLEEInferencer(load('glee_mini_coco', tmp_path_factory.mktemp('work')), device='cpu', score_thr=0.)


def test_refinements_of_a_large_picture_stay_small(inferencer):
    """20 rounds on 12 megapixels keep less than one bit map of that size in all, far below 1 MB each."""
    shape = (3000, 4000)
    session = inferencer.open_image(picture(0, shape))
    found, kept = session.add(points=[(2000, 1500)], num_candidates=3), []
    for number in range(20):
        found = session.refine(found.id, points=[(190 * number + 50, 140 * number + 60, 1 if number % 3 else -1)])
        kept.append(kept_bytes(session._rounds))
    assert found.round == 21 and kept[-1] < 3000 * 4000 / 8
    assert max(np.diff(kept)) < 200_000
    session.clear()
    assert kept_bytes(session._rounds) == 0 and session._image is None


def test_nothing_stays_after_a_call(inferencer):
    """Neither the picture of a prompt nor its features."""
    held, extract = [], inferencer.model.extract_feat

    def remember(batch):
        feats = extract(batch)
        held.extend(weakref.ref(part) for part in (batch, *feats))
        return feats

    inferencer.model.extract_feat = remember
    try:
        inferencer(picture(), prompts=[dict(points=[(30, 20)])])
        reference = dict(image=picture(1), points=[(30, 20)])
        inferencer([picture(2), picture(3)], reference=reference, names=None)
        for _ in inferencer.track([picture(4), picture(5)], prompts={0: dict(points=[(30, 20)])}):
            pass
    finally:
        del inferencer.model.extract_feat
    gc.collect()
    assert len(held) > 20 and not [ref for ref in held if ref() is not None]


def sizes(model):
    """Entries and bytes of every text cache of a model."""
    caches = {}
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if type(value).__name__ == 'TextCache':
                caches[f'{name}.{key}'] = len(value.entries), value.num_bytes, kept_bytes(list(value.entries.values()))
    return caches


def test_a_thousand_names_leave_bounded_caches():
    """The bound is that of the cache; what is counted is what is really held."""
    model = video_model(dict(type='PromptTracker'))
    encoder, bound = model.panoptic_head.text_encoder, 2**20
    caches = [value for module in model.modules() for value in vars(module).values()
              if type(value).__name__ == 'TextCache']
    for cache in caches:
        cache.max_bytes = bound
    session = InteractiveSession(model, scale=(96, 64))
    session.set_image(picture())
    first = session.add(points=[(30, 20)])
    for start in range(0, 1000, 10):
        session.label(first.id, [f'name number {number}' for number in range(start, start + 10)])
    for number in range(40):
        session.add(text=f'the sentence of number {number}')
    found = sizes(model)
    assert len(found) >= 5
    for name, (count, counted, held) in found.items():
        assert counted <= bound and held <= 1.01 * bound + 4096, name
        assert count < 1000
    assert any(count > 10 for count, *_ in found.values())
    encoder.train()
    encoder.eval()
    assert all(count == 0 for count, *_ in sizes(encoder).values())


def test_three_hundred_frames_are_flat():
    """What a session holds after 300 frames is what it holds after 10, and its codes of masks and scores."""
    model = video_model(dict(type='PromptTracker'))
    frames = np.random.default_rng(0).integers(0, 250, (300, 32, 48, 3), dtype=np.uint8)
    session = VideoSession(model, scale=(48, 32), cached_frames=2)
    session.open(list(frames))
    session.add_many(0, [dict(points=[(10, 10)]), dict(points=[(40, 20)])])
    kept = {}
    for frame in session.track():
        if frame in (10, 299):
            kept[frame] = kept_bytes([vars(session)[name] for name in ('_objects', '_features', 'image')])
    codes = kept_bytes([known.seen for known in session._objects.values()])
    assert kept[299] - kept[10] <= codes < 2 * 300 * 400
    held = []
    for number, masks in enumerate(session.live(iter(frames[:40]), {1: dict(points=[(10, 10)])})):
        held.append(weakref.ref(masks[1]))
    del masks
    assert sum(ref() is not None for ref in held) == 0 and number == 39


def test_followers_are_flat(inferencer):
    """Names, sentences, clicks and a reference: after the frames that vote for a name nothing is added."""
    frames = np.random.default_rng(0).integers(0, 250, (24, 32, 48, 3), dtype=np.uint8)
    tracked = inferencer.track(
        iter(frames), names=['star', 'ring'], expressions=['a star'], prompts={0: dict(points=[(10, 10)])},
        reference=dict(image=frames[0], points=[(10, 10)]))
    for follower in tracked.followers:
        follower.geometry = PictureGeometry.of_scale((48, 32))
    kept = {}
    for result in tracked:
        kept[result.frame] = kept_bytes([vars(follower) for follower in tracked.followers])
    assert len(kept) == 24 and max(kept.values()) <= 1.01 * kept[11] + 4096

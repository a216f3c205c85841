"""With the structure of the released models no code of an extension runs, and every folder says what it is."""
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest
import torch
from mini_model import SIZE, build, category_sample, expression_sample, images
from mini_video import clip_of, moving_picture
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.structures import InstanceData
from paths import config_file

from projects.glee.apis import InteractiveSession, VideoSession
from projects.glee.models import extensions

FOLDER = Path(extensions.__file__).parent


@contextmanager
def calls_into(folder: Path) -> Iterator[set[str]]:
    """Names of the functions defined below a folder that are called in the block."""
    called = set()

    def note(frame, event, _):
        if event == 'call' and frame.f_code.co_filename.startswith(str(folder)):
            called.add(frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(None)


def narrow(name: str) -> Config:
    """The model of a config of GLEE-Lite, every part of it, with few channels."""
    model = Config.fromfile(config_file(name)).model
    model.backbone.base_channels = 8
    channels = [32, 64, 128, 256]
    head = model.panoptic_head
    head.update(embed_dims=32, num_queries=20)
    head.text_encoder.update(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    head.pixel_decoder.update(in_channels=channels, norm_groups=8, num_layers=2, feedforward_channels=32)
    head.pixel_decoder.early_fusion.hidden_dims = 32
    head.decoder.update(num_layers=2, feedforward_channels=32)
    head.prompter.update(template_size=64, in_channels=channels[1:])
    return model


@pytest.fixture(scope='module')
def released():
    return build(narrow('glee_r50_video')).eval()


@pytest.fixture
def extension_calls():
    """Everything that an extension runs during the test."""
    with calls_into(FOLDER) as called:
        yield called


def prompted() -> InstanceData:
    masks = torch.zeros(2, *SIZE, dtype=torch.bool)
    masks[0, 10:26, 10:26] = masks[1, 30:46, 50:66] = True
    return InstanceData(masks=masks, neg_masks=masks.flip(0), kinds=['point', 'mask'],
                        prev_logits=[torch.randn(SIZE[0] // 4, SIZE[1] // 4), None], instance_ids=torch.tensor([7, 9]))


@torch.no_grad()
def test_pictures_run_no_extension(released, extension_calls):
    """Names, things and stuff, expressions, and prompts of both signs after an earlier round."""
    samples = [category_sample(), category_sample(stuff_text=('sky', )), expression_sample('a ring', 'the star')]
    samples.append(category_sample())
    samples[-1].prompts = prompted()
    for sample in samples:
        assert 'pred_instances' in released(images(1), [sample], mode='predict')[0]
    assert not extension_calls


@pytest.mark.parametrize('tracker, meta', [
    ('MinVISTracker', {}), ('ExpressionTracker', dict(text=('a ring', ), text_mode='expression')),
    ('PromptTracker', dict(text=('object', )))])
@torch.no_grad()
def test_videos_run_no_extension(released, tracker, meta, extension_calls):
    released.tracker = MODELS.build(dict(type=tracker))
    clip = clip_of(range(3), 3, **meta)
    if tracker == 'PromptTracker':
        clip[0].prompts = prompted()
    released.predict(torch.stack([moving_picture(frame) for frame in range(3)])[None], [clip])
    assert len(clip.pred_tracks) and not extension_calls


def test_sessions_run_no_extension(released, extension_calls):
    """Rounds of clicks, references and a corrected track, with the defaults of the sessions."""
    picture = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    session = InteractiveSession(released, vocabulary=('ring', 'star'), scale=(96, 64))
    session.set_image(picture)
    first = session.add(points=[(20, 20)])
    session.refine(first.id, points=[(40, 30, -1), (25, 25)])
    reference = session.encode_reference(points=[(20, 20)])
    session.find(top_k=2, reference=reference)
    session.results(exclusive=True)
    video = VideoSession(released, scale=(96, 64))
    video.open([picture] * 3)
    car = video.add(1, points=[(20, 20)])
    list(video.track())
    video.refine(car.id, 2, points=[(30, 30), (80, 50, -1)])
    assert not extension_calls


def test_training_runs_no_extension(extension_calls):
    """Of stage 2, text and prompts."""
    model = build(narrow('glee_r50_stage2')).train()
    samples = [category_sample(), expression_sample('a ring')]
    samples.append(category_sample())
    samples[-1].prompts = prompted()[:1]
    samples[-1].prompts.pop('prev_logits')
    for sample in samples:
        model.parse_losses(model(images(1), [sample], mode='loss'))[0].backward()
    assert not extension_calls


def test_calls_of_an_extension_are_seen():
    """The test above would fail."""
    cfg = narrow('glee_r50_video')
    cfg.panoptic_head.prompter.memory = dict(type='MemoryPromptEncoder')
    sample = category_sample()
    sample.prompts = prompted()
    model = build(cfg).eval()
    with torch.no_grad(), calls_into(FOLDER) as called:
        model(images(1), [sample], mode='predict')
    assert 'MemoryPromptEncoder.forward' in called


@pytest.mark.parametrize('folder', sorted(path.name for path in FOLDER.iterdir() if (path / '__init__.py').is_file()))
def test_every_extension_has_its_page(folder):
    page = (FOLDER / folder / 'README.md').read_text()
    for part in ('## What', '## Off by default', '## Untested on real weights', '## How to switch it on'):
        assert part in page
    assert len(page.splitlines()) <= 60
    for component in vars(getattr(extensions, folder))['__all__']:
        assert f'`{component}`' in page

"""A prediction by text never waits for the device, one of clicks as often for many objects as for one."""
from contextlib import contextmanager
from unittest import mock

import pytest
import torch
from sync_counter import DEVICE, FarTensor, pretended_device

from projects.glee.apis import GLEEInferencer, InteractiveSession
from projects.glee.apis.model_names import config_of
from projects.glee.models.language_models import clip_text_encoder
from projects.glee_cli.speed.jobs import Setting, inputs_of, names_of, picture_of


def near(tensor):
    return tensor.near if isinstance(tensor, FarTensor) else tensor


@pytest.fixture
def glee():
    torch.manual_seed(0)
    cfg = config_of('glee_mini')
    cfg.model.panoptic_head.num_queries = 12
    return GLEEInferencer(cfg, device='cpu')


@contextmanager
def far_away(model):
    """The model on the pretended device, and the waits there; the text encoder knows no such device's autocast."""
    with pretended_device() as waits, mock.patch.object(clip_text_encoder, 'weights_stamp', lambda weights: 'far away'):
        model.to(DEVICE)
        yield waits


@pytest.mark.parametrize('mode', ['category', 'expression'])
@pytest.mark.parametrize('chunk_pixels', [2**22, 2**10])
def test_a_prediction_by_text_never_waits(glee, mode, chunk_pixels):
    model = glee.model
    model.panoptic_fusion_head.chunk_pixels = chunk_pixels  # the small one: masks row by row, as of large pictures
    inputs, samples = inputs_of(glee, Setting((64, 96), 3), names_of(3), mode)
    with torch.no_grad():
        expected = model.predict(inputs, samples)[0].pred_instances.clone()
        with far_away(model) as waits:
            inputs = inputs.to(DEVICE)
            model.predict(inputs, samples)  # encodes the text
            waits.clear()
            found = model.predict(inputs, samples)[0].pred_instances
            assert waits == []
            for name in ('scores', 'labels', 'bboxes', 'masks'):
                torch.testing.assert_close(near(found[name]), expected[name])


def test_mask_features_are_convolved_channels_last_on_a_device(glee):
    """cuDNN's convolution by Fourier transform takes other layouts alone, and up to tens of GiB."""
    decoder, layouts = glee.model.panoptic_head.pixel_decoder, []
    decoder.output_conv.register_forward_pre_hook(
        lambda _, args: layouts.append(near(args[0]).is_contiguous(memory_format=torch.channels_last)))
    feats = glee.model.extract_feat(torch.randn(2, 3, 64, 96))
    with torch.no_grad():
        expected = decoder([feat.contiguous() for feat in feats]).mask_features
        with far_away(glee.model):
            found = decoder([feat.detach().contiguous().to(DEVICE) for feat in feats]).mask_features
    assert layouts[-1]
    torch.testing.assert_close(near(found), expected)


def test_clicks_wait_as_often_for_four_objects_as_for_one(glee):
    session = InteractiveSession(glee.model, scale=(64, 96))
    session.set_image(picture_of((64, 96)))
    prompts = [dict(points=[(20, 20), (40, 30, -1)]), dict(points=[(80, 50), (3, 5, -1)]),
               dict(boxes=[(5, 5, 30, 40)], points=[(1, 1, -1)]), dict(points=[(10, 50), (70, 9, -1)])]
    objects = session.objects_of([session.read_keywords(prompt, number) for number, prompt in enumerate(prompts)])

    def decode(move, count):
        with torch.no_grad():
            some = objects.pick(range(count))._replace(**{
                name: move(getattr(objects, name)[:count]) for name in ('images', 'objects', 'masks', 'neg_masks')})
            some = glee.model.extract_templates(move(session.image.batch), some)
            feats = [move(feat) for feat in session.image.feats]
            return glee.model.panoptic_head.prompt_decoder.predict(feats, some, ('object', ))

    expected, counts = [decode(lambda part: part, count) for count in (1, 4)], []
    with far_away(glee.model) as waits:
        decode(lambda part: part.to(DEVICE), 1)  # encodes the text
        for count, (selected, masks) in zip((1, 4), expected):
            waits.clear()
            found, found_masks = decode(lambda part: part.to(DEVICE), count)
            counts.append([wait.split(' (')[0] for wait in waits if f'at {__file__}' not in wait])
            torch.testing.assert_close(near(found.scores), selected.scores)
            torch.testing.assert_close(near(found_masks), masks)
    # which image each is in; the windows of the templates; pixels and their numbers, for tokens and for signs
    once = ['copy from the device', 'copy from the device', *['nonzero', 'copy from the device'] * 2]
    assert counts == [once, once]

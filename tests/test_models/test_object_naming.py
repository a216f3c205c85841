"""Naming pre-training tiles objects correctly and hands its weights over; untrained names start apart."""
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from test_glee import NAMES, category_sample, images

from projects.glee.models import CLIPTextEncoder


@pytest.fixture(scope='module')
def naming():
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile('configs/glee/glee_mini_stage0.py').model)
    model.init_weights()
    return model


def test_mosaics_hold_the_objects_inside_their_boxes(naming):
    """Objects drawn in one colour each: the centre of every box of the mosaic has the colour of its label."""
    naming.grids = (3, )
    picture = torch.zeros(2, 3, 64, 96)
    boxes = torch.tensor([[4., 6., 24., 22.], [40., 30., 90., 60.], [60., 4., 70., 14.]])
    for index, (x0, y0, x1, y1) in enumerate(boxes.int().tolist()):
        picture[:, :, y0:y1, x0:x1] = index + 1
    pictures, tiled, labels = naming.mosaics(
        picture.contiguous(memory_format=torch.channels_last), [boxes, boxes], torch.arange(6) % 3)
    side = pictures.shape[-1]
    assert pictures.shape == (4, 3, 159, 159) and tiled.shape == (4, 9, 4)
    assert set(labels.flatten().tolist()) == {0, 1, 2}
    for image, image_boxes, image_labels in zip(pictures, tiled * side, labels):
        for (x, y, width, height), label in zip(image_boxes.tolist(), image_labels.tolist()):
            inside = image[0, int(y - height / 4):int(y + height / 4), int(x - width / 4):int(x + width / 4)]
            torch.testing.assert_close(inside, torch.full_like(inside, label + 1.))


def test_box_in_its_window(naming):
    """Box in the window, scaled back to the image, is the box; the window is as large as asked for."""
    roi = torch.tensor([[0., 10., 20., 50., 40.]]).repeat(50, 1)
    windows, boxes = naming._windows(roi)
    side = windows[:, 3] - windows[:, 1]
    assert (side >= 1.1 * 40).all() and (side <= 2.2 * 40).all() and side.std() > 1
    centre = windows[:, 1:3] + boxes[:, :2] * side[:, None]
    inside = ((windows[:, 1:3] <= roi[:, 1:3]) & (windows[:, 3:] >= roi[:, 3:])).all(1)
    assert inside.sum() > 10
    torch.testing.assert_close(centre[inside], torch.tensor([[30., 30.]]).expand(int(inside.sum()), -1))
    torch.testing.assert_close((boxes[:, 2:] * side[:, None])[inside],
                               torch.tensor([[40., 20.]]).expand(int(inside.sum()), -1))


def test_loss_trains_all_but_the_text(naming):
    naming.train()
    losses = naming(images(2), [category_sample(seed=s) for s in range(2)], mode='loss')
    (losses['loss_softmax'] + losses['loss_bias']).backward()
    head = naming.panoptic_head
    for parameter in (naming.backbone.conv1.weight, head.text_encoder.lang_projection, head.category_embed,
                      head.decoder.layers[0].cross_attn.value_proj.weight, head.align_bias):
        assert parameter.grad.abs().sum() > 0
    assert 0 <= losses['accuracy_0'] <= 100


def test_bias_learns_from_its_own_loss_only(naming):
    naming.train()
    naming.zero_grad()
    losses = naming(images(2), [category_sample(seed=s) for s in range(2)], mode='loss')
    losses['loss_bias'].backward()
    touched = [name for name, p in naming.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert touched == ['panoptic_head.align_bias']


def test_predict_names_the_given_boxes(naming):
    """Permuting the boxes permutes their names."""
    naming.eval()
    swapped = category_sample(count=3)
    order = torch.tensor([2, 0, 1])
    swapped.gt_instances = swapped.gt_instances[order]
    with torch.no_grad():
        logits = naming(images(1), [category_sample(count=3)], mode='tensor')[0]
        again = naming(images(1), [swapped], mode='tensor')[0]
        sample = naming(images(1), [category_sample(count=3)], mode='predict')[0]
    assert logits.shape == (4 + 3, 3, len(NAMES))  # four levels, three decoder layers
    torch.testing.assert_close(again, logits[:, order], atol=1e-5, rtol=1e-4)
    assert torch.equal(sample.pred_instances.labels, logits[-1].argmax(1))


def test_weights_fit_the_detector(naming):
    detector = MODELS.build(Config.fromfile('configs/glee/glee_mini_stage2.py').model)
    detector.load_state_dict(naming.state_dict(), strict=True)


def test_untrained_names_start_apart():
    """What all one-word texts share is projected out: a mean cosine of 0.8 becomes small."""
    torch.manual_seed(0)
    encoder = CLIPTextEncoder(mode='unfrozen', embed_dims=64, hidden_size=64, num_hidden_layers=2,
                              num_attention_heads=4, intermediate_size=256).eval()
    names = ('circle', 'square', 'triangle', 'star', 'ring', 'cross', 'heart', 'crescent')

    def mean_cosine():
        with torch.no_grad():
            unit = torch.nn.functional.normalize(encoder(names).pooled, dim=1)
        return ((unit @ unit.t()).sum() - len(names)) / (len(names) * (len(names) - 1))

    assert mean_cosine() > 0.8
    encoder.init_weights()
    assert mean_cosine() < 0.4

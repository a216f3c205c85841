"""Naming pre-training hands its weights over; untrained names start apart."""
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


def test_loss_trains_backbone_and_text(naming):
    naming.train()
    losses = naming(images(2), [category_sample(seed=s) for s in range(2)], mode='loss')
    losses['loss_cls'].backward()
    for parameter in (naming.backbone.stem[0].weight, naming.panoptic_head.text_encoder.lang_projection):
        assert parameter.grad.abs().sum() > 0
    assert 0 <= losses['accuracy'] <= 100


def test_logits_are_one_row_per_box(naming):
    """Permuting the boxes permutes the rows."""
    naming.eval()
    sample = category_sample(count=3)
    with torch.no_grad():
        logits = naming(images(1), [sample], mode='tensor')
        swapped = category_sample(count=3)
        order = torch.tensor([2, 0, 1])
        swapped.gt_instances = swapped.gt_instances[order]
        again = naming(images(1), [swapped], mode='tensor')
    assert logits.shape == (3, len(NAMES))
    torch.testing.assert_close(again, logits[order])


def test_predict_names_the_given_boxes(naming):
    naming.eval()
    with torch.no_grad():
        sample = naming(images(1), [category_sample()], mode='predict')[0]
    logits = naming(images(1), [category_sample()], mode='tensor')
    assert torch.equal(sample.pred_instances.labels, logits.argmax(1))


def test_weights_fit_the_detector(naming):
    detector = MODELS.build(Config.fromfile('configs/glee/glee_mini_stage2.py').model)
    shared = {key for key in naming.state_dict() if 'text_encoder' in key or key.startswith('backbone')}
    missing = set(detector.state_dict()) - shared
    assert not any('text_encoder' in key or key.startswith('backbone') for key in missing)


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

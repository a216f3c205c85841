"""The detector in its three modes, with stock backbones and as a head of a stock Mask2Former."""
import copy

import pytest
import torch
from mini_model import SIZE, build, category_sample, expression_sample, images, mini_config
from mmengine.config import Config

from projects.glee.models.layers.maskdino_decoder import DecoderStates
from projects.glee.models.seg_heads import GLEEFusionHead
from projects.glee.structures.selected_queries import SelectedQueries

CONFIGS = 'configs/glee'
def shrink(model):
    """Keep the structure of a full config but few and narrow layers."""
    head = model.panoptic_head
    head.update(embed_dims=32, num_queries=10)
    head.text_encoder.update(hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                             intermediate_size=32)
    head.pixel_decoder = dict(head.get('pixel_decoder', dict(type='MaskDINOPixelDecoder')),
                              num_layers=1, feedforward_channels=32, norm_groups=4,
                              early_fusion=dict(type='EarlyFusion', hidden_dims=32, num_heads=2))
    head.decoder = dict(type='MaskDINODecoder', num_layers=2, feedforward_channels=32)
    head.criterion = dict(type='GLEECriterion', num_points=128,
                          matcher=dict(type='HungarianMatcher', num_points=128))
    return model


@pytest.fixture(scope='module')
def glee():
    return build(mini_config())


def test_category_loss_reaches_every_part(glee):
    glee.train()
    glee.zero_grad()
    losses = glee(images(2), [category_sample(seed=s) for s in range(2)], mode='loss')
    total, _ = glee.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total)
    for name, parameter in glee.named_parameters():
        assert parameter.grad is not None, f'{name} is not in the graph'
    head = glee.panoptic_head
    for parameter in (head.category_embed, head.text_encoder.lang_projection,
                      head.text_encoder.text_model.encoder.layers[0].mlp.fc1.weight,
                      head.pixel_decoder.early_fusion.text_proj.weight, glee.backbone.stem.conv.conv.weight):
        assert parameter.grad.abs().sum() > 0


@pytest.mark.parametrize('supervision, off', [
    (('semantic', 'box'), ('loss_mask', 'loss_dice', 'loss_conf')),
    (('semantic', 'coarse_box'), ('loss_mask', 'loss_dice', 'loss_bbox', 'loss_giou', 'loss_conf')),
    (('semantic', 'box', 'mask'), ('loss_conf', )),
])
def test_supervision_switches_exactly_its_terms(glee, supervision, off):
    glee.train()
    torch.manual_seed(0)
    losses = glee(images(1), [category_sample(supervision=supervision)], mode='loss')
    for key, value in losses.items():
        name = key.split('.')[-1].replace('dense_', '')
        if name in ('loss_idle', 'loss_distill'):
            assert value == 0, key
        elif key.startswith('dn') and name in ('loss_mask', 'loss_dice', 'loss_conf'):
            raise AssertionError(f'{key}: denoising trains classes and boxes only')
        else:
            assert (value == 0) == (name in off), key


def test_expression_loss(glee):
    glee.train()
    losses = glee(images(2), [expression_sample('the red star'), expression_sample('a ring', seed=1)],
                  mode='loss')
    total, _ = glee.parse_losses(losses)
    assert torch.isfinite(total) and losses['loss_cls'] > 0


def test_tensor_mode_shapes(glee):
    glee.eval()
    with torch.no_grad():
        out = glee(images(2), [category_sample(), category_sample(seed=1)], mode='tensor')
    assert out['pred_logits'].shape == (2, 30, 4)
    assert out['pred_boxes'].shape == (2, 30, 4) and out['pred_scores'].shape == (2, 30, 1)
    assert out['pred_masks'].shape == (2, 30, 16, 24)
    assert out['embeddings'].shape == (2, 30, 64) and out['topk_indices'].shape == (2, 30)


def test_predict_selects_the_best_pairs_and_their_masks(glee):
    """Against the raw tensors: top query x name pairs, masks and scores by the written-out rule."""
    glee.eval()
    batch, samples = images(1), [category_sample()]
    with torch.no_grad():
        raw = glee(batch, samples, mode='tensor')
        pred = glee(batch, samples, mode='predict')[0].pred_instances
    scores = raw['pred_logits'][0].sigmoid().flatten()
    order = scores.argsort(descending=True)[:100]
    full = torch.nn.functional.interpolate(raw['pred_masks'], SIZE, mode='bilinear')[..., :60, :90]
    full = torch.nn.functional.interpolate(full, (120, 180), mode='bilinear')[0][order // 4]
    mask = full > 0
    quality = (full.sigmoid() * mask).sum((1, 2)) / (mask.sum((1, 2)) + 1e-6)
    expected_scores, by_score = (scores[order] * quality).sort(descending=True, stable=True)
    order, mask = order[by_score], mask[by_score]
    torch.testing.assert_close(pred.scores, expected_scores)
    assert torch.equal(pred.labels, order % 4) and torch.equal(pred.masks, mask)
    cx, cy, w, h = raw['pred_boxes'][0][order // 4].unbind(-1)
    expected = torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], -1)
    expected = expected * torch.tensor([192., 128., 192., 128.])  # padded input, doubled
    torch.testing.assert_close(pred.bboxes, expected.clamp(min=0).minimum(torch.tensor([180., 120.] * 2)))


def test_expressions_of_one_image_share_the_backbone(glee):
    glee.eval()
    calls = []
    hook = glee.backbone.register_forward_hook(lambda *_: calls.append(1))
    sentences = ('the red star', 'a ring left of it', 'square')
    with torch.no_grad():
        together = glee(images(1), [expression_sample(*sentences)], mode='predict')[0].pred_instances
        hook.remove()
        assert len(calls) == 1
        assert together.labels.tolist() == [0, 1, 2]
        for row, sentence in enumerate(sentences):
            alone = glee(images(1), [expression_sample(sentence)], mode='predict')[0].pred_instances
            torch.testing.assert_close(together.bboxes[row], alone.bboxes[0], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(together.scores[row], alone.scores[0])
            assert torch.equal(together.masks[row], alone.masks[0])


def test_samples_with_different_vocabularies_run_in_groups(glee):
    glee.eval()
    other = ('heart', 'cross')
    batch = images(3)
    samples = [category_sample(), category_sample(other), category_sample(seed=2)]
    with torch.no_grad():
        together = glee(batch, samples, mode='predict')
        for index in range(3):
            alone = glee(batch[index:index + 1], [copy.deepcopy(samples[index])], mode='predict')[0]
            torch.testing.assert_close(together[index].pred_instances.scores,
                                       alone.pred_instances.scores, atol=1e-5, rtol=1e-4)


def test_heads_read_all_layers_at_once_as_one_by_one(glee):
    head, texts = glee.panoptic_head.eval(), torch.randn(2, 5, 64)
    query, *hidden = torch.randn(4, 2, 7, 64)
    states = DecoderStates(hidden, list(torch.rand(4, 2, 7, 4)))
    outputs = head._predict_layers(query, states, texts, last_only=False)
    assert list(outputs) == ['d0', 'd1', 'd2', '']
    for key, features, reference in zip(outputs, (query, *hidden), (None, *states.references)):
        boxes = states.references[0]
        if reference is not None:  # look forward twice: the deltas of a layer on the boxes before it
            boxes = (head.box_head(features) + reference.logit(1e-5)).sigmoid()
        for name, value in head._predict_queries(features, boxes, texts).items():
            torch.testing.assert_close(outputs[key][name], value, rtol=1e-4, atol=1e-5)
    last = head._predict_layers(query, states, texts, last_only=True)['']
    for name, value in last.items():
        torch.testing.assert_close(value, outputs[''][name], rtol=1e-4, atol=1e-5)


def test_fewer_tokens_than_queries():
    """A 32 x 32 image has 16+4+1+1 tokens; the number of queries adapts."""
    config = mini_config()
    model = build(config).eval()
    sample = category_sample(batch_input_shape=(32, 32), img_shape=(32, 32))
    with torch.no_grad():
        out = model(torch.randn(1, 3, 32, 32), [sample], mode='tensor')
    assert out['pred_logits'].shape == (1, 22, 4)


@pytest.mark.parametrize('broken, message', [
    (dict(text=()), 'carries no text'),
    (dict(text_mode='caption'), 'text_mode'),
])
def test_bad_meta_information_is_named(glee, broken, message):
    with pytest.raises(ValueError, match=message):
        glee.eval()(images(1), [category_sample(**broken)], mode='tensor')


def test_mixed_batches_are_refused(glee):
    glee.train()
    with pytest.raises(ValueError, match='text_mode'):
        glee(images(2), [category_sample(), expression_sample('a ring')], mode='loss')
    with pytest.raises(ValueError, match='share one text'):
        glee(images(2), [category_sample(), category_sample(('heart', ))], mode='loss')
    with pytest.raises(ValueError, match='exactly one expression'):
        glee(images(1), [expression_sample('a', 'b')], mode='loss')


@pytest.mark.parametrize('name', ['convnext-t', 'swin-t'])
def test_stock_backbones_by_config(name):
    config = Config.fromfile(f'{CONFIGS}/examples/glee_{name}_coco.py')
    model = build(shrink(config.model)).train()
    total, _ = model.parse_losses(model(images(1), [category_sample()], mode='loss'))
    total.backward()
    stem = next(model.backbone.parameters())
    assert stem.grad is not None and stem.grad.abs().sum() > 0


def test_feature_count_mismatch_is_named(glee):
    with pytest.raises(ValueError, match='out_indices'):
        glee.panoptic_head.pixel_decoder([torch.zeros(1, 32, 8, 8)])


def test_empty_prediction_list():
    """No query survives: the fusion head returns empty, well-shaped results."""
    selected = SelectedQueries(torch.zeros(0), torch.zeros(0, dtype=torch.long), torch.zeros(0, 4))
    out = GLEEFusionHead().predict([selected], [torch.zeros(0, 16, 24)], [category_sample()])
    assert out[0]['ins_results'].masks.shape == (0, 120, 180)

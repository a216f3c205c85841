"""GLEE-Lite gives the numbers of the original code (golden outputs, weights from the recipe)."""
import golden_recipe as recipe
import numpy as np
import pytest
import torch
from goldens import load_golden
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from parity import BOXES, LOGITS, align, close

from projects.glee.engine.checkpoints.official_keys import official_table
from projects.glee.models.language_models.text_prompt import encode_batch

LOSS_NAMES = dict(bbox='loss_bbox', ce='loss_cls', conf='loss_conf', dice='loss_dice',
                  giou='loss_giou', mask='loss_mask')


def build_batch(meta):
    images = [recipe.image(s, *hw) for s, hw in zip(meta['image_seeds'], meta['image_sizes'])]
    batch = torch.from_numpy(recipe.batch(images))
    size = tuple(batch.shape[-2:])
    samples = []
    for index in range(len(images)):
        text = (meta['expressions'][index], ) if meta['expressions'] else tuple(meta['names'])
        mode = 'expression' if meta['expressions'] else 'category'
        samples.append(DetDataSample(metainfo=dict(text=text, text_mode=mode, batch_input_shape=size,
                                                   img_shape=size, ori_shape=size)))
    return batch, samples


@pytest.fixture(scope='module', params=['lite_case1_detection', 'lite_case3_grounding'])
def case(request, glee_lite):
    arrays, meta = load_golden(request.param)
    batch, samples = build_batch(meta)
    with torch.no_grad():
        feats = glee_lite.extract_feat(batch)
    return arrays, batch, samples, feats


def test_features(case, glee_lite):
    arrays, _, samples, feats = case
    head = glee_lite.panoptic_head
    with torch.no_grad():
        prompt = encode_batch(head.text_encoder, samples)
        pixels = head.pixel_decoder(feats, prompt.fusion_tokens, with_text=True)
    for level, feat in enumerate(feats):
        close(torch.from_numpy(recipe.digest(feat.numpy())), arrays[f'backbone_res{level + 2}'], 1e-4)
    for level, feat in enumerate(pixels.levels):
        close(torch.from_numpy(recipe.digest(feat.numpy())),
              arrays[f'multi_scale_features_{level}'], 1e-4)
    close(torch.from_numpy(recipe.digest(pixels.mask_features.numpy())), arrays['mask_features'], 1e-4)


def test_fused_text(case, glee_lite):
    """Both directions of early fusion agree (the text side feeds nothing in the released models)."""
    arrays, _, samples, feats = case
    decoder = glee_lite.panoptic_head.pixel_decoder
    with torch.no_grad():
        tokens = encode_batch(glee_lite.panoptic_head.text_encoder, samples).fusion_tokens
        inputs = decoder._encoder_inputs(feats)
        visual = torch.cat([x.flatten(2).transpose(1, 2) for x in inputs], 1)
        fused_visual, fused_text = decoder.early_fusion(visual, tokens, with_text=True)
    close(torch.from_numpy(recipe.digest(fused_visual.numpy())), arrays['fused_visual'], 1e-4)
    close(torch.from_numpy(recipe.digest(fused_text.numpy())), arrays['fused_lang'], 1e-4)


def test_final_outputs(case, glee_lite):
    arrays, batch, samples, _ = case
    with torch.no_grad():
        outputs = glee_lite(batch, samples, mode='tensor')
    for index in range(len(samples)):
        order = align(outputs['topk_indices'][index], arrays['topk_indices'][index])
        masks = outputs['pred_masks'][index][order]
        close(outputs['pred_logits'][index][order], arrays['pred_logits'][index], LOGITS)
        close(outputs['pred_boxes'][index][order], arrays['pred_boxes'][index], BOXES)
        close(outputs['pred_scores'][index][order], arrays['pred_scores'][index], LOGITS)
        close(outputs['embeddings'][index][order], arrays['pred_track_embed'][index], LOGITS)
        close(masks[:, ::4, ::4], arrays['pred_masks_s4'][index], LOGITS)
        close(masks[:10], arrays['pred_masks_first10'][index], LOGITS)


def test_every_layer(case, glee_lite):
    arrays, _, samples, feats = case
    head = glee_lite.panoptic_head
    with torch.no_grad():
        outputs = head.decode(feats, encode_batch(head.text_encoder, samples))
    layers = [outputs.predictions[key] for key in [f'd{i}' for i in range(9)] + ['']]
    for index in range(len(samples)):
        order = align(outputs.topk_indices[index], arrays['topk_indices'][index])
        enc = outputs.predictions['enc']
        close(enc['logits'][index][order], arrays['interm_logits'][index], LOGITS)
        close(enc['boxes'][index][order], arrays['interm_boxes'][index], BOXES)
        for layer, prediction in enumerate(layers):
            close(prediction['logits'][index][order], arrays['layer_logits'][layer, index], LOGITS)
            close(prediction['boxes'][index][order], arrays['layer_boxes'][layer, index], BOXES)
            close(prediction['scores'][index][order], arrays['layer_scores'][layer, index], LOGITS)


def build_targets(meta, size):
    height, width = size
    samples = []
    for index, count in enumerate(meta['counts']):
        tag = meta['target_tag']
        centre = recipe.uniform(f'{tag}:ctr:{index}', (count, 2), 0.3, 0.7)
        extent = recipe.uniform(f'{tag}:wh:{index}', (count, 2), 0.1, 0.4)
        labels = (recipe.uniform(f'{tag}:label:{index}', (count, )) * meta['ncls']).astype(np.int64)
        corners = np.concatenate([centre - extent / 2, centre + extent / 2], 1)
        boxes = torch.from_numpy(corners * np.array([width, height, width, height], np.float32))
        sample = DetDataSample(metainfo=dict(
            text=tuple(meta['names']), text_mode='category', batch_input_shape=size, img_shape=size,
            supervision=('semantic', 'box'), label_table='obj365'))
        sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.from_numpy(labels))
        samples.append(sample)
    return samples


def spy(monkeypatch, owner, name):
    """The results of the method's calls, in order."""
    results, method = [], getattr(owner, name)

    def call(*args, **kwargs):
        results.append(method(*args, **kwargs))
        return results[-1]

    monkeypatch.setattr(owner, name, call)
    return results


def check_matches(arrays, matches, topk_indices):
    """Every output pairs the same queries with the same objects."""
    for key, name in [('', 'final'), ('enc', 'interm'), *((f'd{i}', f'aux{i}') for i in range(9))]:
        for image, (queries, objects) in enumerate(matches[key]):
            order = align(topk_indices[image], arrays['topk_indices'][image])
            golden = sorted((order[query], index) for query, index in arrays[f'match_{name}_img{image}'].T.tolist())
            assert sorted(zip(queries.tolist(), objects.tolist())) == golden, (key, image)


def test_training_losses_matches_and_gradients(glee_lite, monkeypatch):
    """Every loss term, match, the total and sampled gradients of a whole training step without denoising."""
    arrays, meta = load_golden('lite_case7_train_loss')
    batch, _ = build_batch(dict(meta, expressions=None))
    samples = build_targets(meta, tuple(batch.shape[-2:]))
    head = glee_lite.panoptic_head
    denoising, head.denoising = head.denoising, None
    outputs, criterion = spy(monkeypatch, head, 'decode'), spy(monkeypatch, head.criterion, 'forward')
    glee_lite.zero_grad()
    head.text_encoder.train()  # no dropout inside; the distillation loss exists in training only
    try:
        losses = glee_lite(batch, samples, mode='loss')
        total, _ = glee_lite.parse_losses(losses)
        total.backward()
    finally:
        head.denoising = denoising
        head.text_encoder.eval()
    check_matches(arrays, criterion[0][1], outputs[0].topk_indices)
    weights = dict(bbox=5, ce=4, conf=4, dice=5, giou=2, mask=5)
    for name, golden in zip(meta['loss_names'], arrays['loss_values']):
        if name == 'dist_loss':
            ours = losses['loss_distill'] / 4
        else:
            kind, *layer = name.removeprefix('loss_').split('_')
            prefix = {'': '', 'interm': 'enc.'}.get(layer[0] if layer else '', f'd{layer[0] if layer else ""}.')
            key = prefix + LOSS_NAMES[kind]
            if key == 'enc.loss_conf':
                assert golden == 0 and key not in losses
                continue
            ours = losses[key] / weights[kind]
        assert ours.item() == pytest.approx(float(golden), rel=1e-4, abs=1e-6), name
    assert total.item() == pytest.approx(float(arrays['total']), rel=1e-4)

    parameters = dict(glee_lite.named_parameters())
    our_names = {their: our for (their, ), (our, ), _ in official_table('lite').rows}
    for index, name in enumerate(meta['grad_names']):
        grad, norm = parameters[our_names[name]].grad, float(arrays['grad_norms'][index])
        if norm <= 0:
            assert grad is None or not grad.any(), name
            continue
        assert grad.norm().item() == pytest.approx(norm, rel=2e-4), name
        # A sampling point at a cell border has a one-sided derivative: single values may differ.
        golden = arrays['grad_samples'][index]
        if grad.numel() >= 64:
            np.testing.assert_allclose(recipe.sample(grad.numpy()), golden, rtol=0,
                                       atol=5e-3 * np.abs(golden).max() + 1e-9, err_msg=name)
    glee_lite.zero_grad()

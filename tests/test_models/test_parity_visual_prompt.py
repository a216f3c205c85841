"""A scribble gives the numbers of the original code (golden case 4, weights from the recipe)."""
import golden_recipe as recipe
import pytest
import torch
from goldens import load_golden
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from parity import BOXES, LOGITS, align, close

from projects.glee.models.language_models.text_prompt import encode_batch


@pytest.fixture(scope='module')
def scribble():
    arrays, meta = load_golden('lite_case4_scribble')
    batch = torch.from_numpy(recipe.batch([recipe.image(meta['image_seeds'][0], *meta['image_sizes'][0])]))
    size = tuple(meta['padded'])
    mask = recipe.mask(meta['spatial'][0]['seed'], *size, meta['spatial'][0]['kind'])
    sample = DetDataSample(metainfo=dict(text=tuple(meta['names']), text_mode='category', img_shape=size,
                                         batch_input_shape=size, ori_shape=size))
    sample.prompts = InstanceData(masks=torch.from_numpy(mask)[None], kinds=[meta['visual_prompt_type']])
    return arrays, batch, sample


def test_raw_outputs(scribble, glee_lite):
    arrays, batch, sample = scribble
    with torch.no_grad():
        outputs = glee_lite(batch, [sample], mode='tensor')
    order = align(outputs['topk_indices'][0], arrays['topk_indices'][0])
    masks = outputs['pred_masks'][0][order]
    close(outputs['pred_logits'][0][order], arrays['pred_logits'][0], LOGITS)
    close(outputs['pred_boxes'][0][order], arrays['pred_boxes'][0], BOXES)
    close(outputs['pred_scores'][0][order], arrays['pred_scores'][0], LOGITS)
    close(outputs['embeddings'][0][order], arrays['pred_track_embed'][0], LOGITS)
    close(masks[:, ::4, ::4], arrays['pred_masks_s4'][0], LOGITS)
    close(masks[:10], arrays['pred_masks_first10'][0], LOGITS)


def test_two_stage_selection_is_by_confidence(scribble, glee_lite):
    arrays, batch, sample = scribble
    head = glee_lite.panoptic_head
    feats, samples, objects = glee_lite._head_inputs(batch, [sample])
    with torch.no_grad():
        text, visual = head.prompt_decoder.read(objects, encode_batch(head.text_encoder, samples))
        outputs = head.decode(feats, text, visual=visual)
    order = align(outputs.topk_indices[0], arrays['topk_indices'][0])
    close(outputs.predictions['enc']['logits'][0][order], arrays['interm_logits'][0], LOGITS)
    close(outputs.predictions['enc']['boxes'][0][order], arrays['interm_boxes'][0], BOXES)

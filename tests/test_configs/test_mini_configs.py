"""Every config trains and tests in stock loops on a small MiniWorld; training resumes exactly."""
import copy

import mmengine
import pytest
import torch
from config_runs import load, load_mini, shrink
from mmdet.registry import MODELS
from mmengine.hooks import Hook
from paths import config_file
from pycocotools.coco import COCO
from tool_runner import run_tool

from projects.glee.engine.runner import run_config
from projects.glee.miniworld.world import MINIWORLD_COCO_CLASSES


class StopAt(Hook):
    """An interruption after some iteration."""

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            raise KeyboardInterrupt


def weights(path):
    return torch.load(path, weights_only=False)['state_dict']


@pytest.mark.slow
def test_interrupted_training_gives_the_same_weights(world, tmp_path):
    run_config.build_runner(load_mini('glee_mini_stage2', world, tmp_path / 'whole')).train()
    runner = run_config.build_runner(load_mini('glee_mini_stage2', world, tmp_path / 'parts'))
    runner.register_hook(StopAt(3))  # the checkpoint of iteration 2 is on disk, iteration 3 is lost
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    cfg = load_mini('glee_mini_stage2', world, tmp_path / 'parts')
    cfg.resume = True
    run_config.build_runner(cfg).train()
    whole = weights(tmp_path / 'whole/iter_4.pth')
    parts = weights(tmp_path / 'parts/iter_4.pth')
    assert whole.keys() == parts.keys()
    different = [key for key in whole if not torch.equal(whole[key], parts[key])]
    assert not different


@pytest.mark.slow
@pytest.mark.parametrize('name, keys', [
    ('glee_mini_coco', ('coco/bbox_mAP', 'coco/segm_mAP')),
    ('glee_mini_lvis', ('lvis/bbox_AP', )),
    ('glee_mini_refcoco', ('refcoco/P@0.5', 'refcoco/testA_P@0.5', 'refcoco/testB_blind_P@0.5')),
])
def test_mini_test_configs_end_with_their_metrics(world, tmp_path, name, keys):
    metrics = run_config.build_runner(load_mini(name, world, tmp_path)).test()
    for key in keys:
        assert 0 <= metrics[key] <= 1, key


@pytest.mark.slow
def test_out_holds_the_predictions_of_every_image(world, tmp_path):
    cfg = load_mini('glee_mini_coco', world, tmp_path)
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), tmp_path / 'mini.pth')
    run_tool('test.py', config_file('glee_mini_coco'), tmp_path / 'mini.pth', '--work-dir', tmp_path / 'work',
             '--out', tmp_path / 'out.pkl', '--cfg-options', f'data_root={world}/', 'test_dataloader.num_workers=0')
    predictions = mmengine.load(tmp_path / 'out.pkl')
    coco = COCO(world / 'coco/annotations/instances_val2017.json')
    assert [prediction['img_id'] for prediction in predictions] == sorted(coco.imgs)
    for prediction in predictions:
        image, found = coco.imgs[prediction['img_id']], prediction['pred_instances']
        assert len(found['scores']) == len(found['bboxes']) == len(found['masks']) > 0
        assert all(mask['size'] == [image['height'], image['width']] for mask in found['masks'])
        assert (found['bboxes'] <= torch.tensor([image['width'], image['height']] * 2) + 1e-3).all()


@pytest.mark.slow
def test_stock_mask2former_with_our_head(world, tmp_path):
    """type='Mask2Former' and its loops stay stock; the text decides, and learns."""
    cfg = shrink(load('mask2former_r50_glee-head_coco', tmp_path))
    assert cfg.model.type == 'Mask2Former'
    names = MINIWORLD_COCO_CLASSES
    cfg.model.backbone.init_cfg = None
    cfg.model.data_preprocessor.batch_augments = None
    for loader, split in ((cfg.train_dataloader, 'train2017'), (cfg.test_dataloader, 'val2017')):
        loader.dataset.update(data_root=f'{world}/coco/', metainfo=dict(classes=names),
                              ann_file=f'annotations/instances_{split}.json',
                              data_prefix=dict(img=f'{split}/'))
        for step in loader.dataset.pipeline:
            if 'scale' in step:
                step.scale = (64, 64)
            if 'crop_size' in step:
                step.crop_size = (64, 64)
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    cfg.test_evaluator.ann_file = f'{world}/coco/annotations/instances_val2017.json'
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=2, val_interval=10)
    cfg.param_scheduler = []
    cfg.default_hooks.checkpoint.update(interval=2, by_epoch=False)
    cfg.optim_wrapper.optimizer.weight_decay = 0.  # what changes has a gradient
    cfg.log_processor.by_epoch = False
    runner = run_config.build_runner(cfg)
    encoder = runner.model.panoptic_head.text_encoder.text_model
    before = copy.deepcopy(encoder.state_dict())
    runner.train()
    assert any(not torch.equal(before[key], value) for key, value in encoder.state_dict().items())
    metrics = runner.test()
    assert 'coco/segm_mAP' in metrics

    data = runner.model.data_preprocessor(next(iter(runner.test_loop.dataloader)), False)
    with torch.no_grad():
        first = runner.model(**data, mode='tensor')['pred_logits']
        data['data_samples'][0].set_metainfo(dict(text=tuple(f'not a {name}' for name in names)))
        second = runner.model(**data, mode='tensor')['pred_logits']
    assert first.shape == second.shape and not torch.allclose(first, second)

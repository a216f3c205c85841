"""The configs with visual prompts train and test on a small MiniWorld."""
import numpy as np
import pytest
import torch
from config_runs import load, load_mini, shrink
from image_files import write_coco
from mmdet.registry import DATASETS, MODELS
from tool_runner import run_tool
from worlds import own_copy

from projects.glee.engine.runner import run_config


@pytest.mark.slow
def test_mini_trains_text_and_prompts(world, tmp_path):
    cfg = load_mini('glee_mini_stage2', world, tmp_path, 3)
    cfg.train_dataloader.sampler.ratios = [1, 0, 0, 0, 0, 0]
    coco = cfg.train_dataloader.dataset.datasets[0]
    step = next(step for step in coco.pipeline if step['type'] == 'SetSource')
    assert step['prompt_prob'] == 0.4
    step['prompt_prob'] = 1.0
    runner = run_config.build_runner(cfg)
    seen = []
    selector = runner.model.panoptic_head.loss_selector
    runner.model.panoptic_head.loss_selector = lambda *args: seen.append(selector(*args)) or seen[-1]
    runner.train()
    assert [switch.confidence for switch in seen] == [True] * 3


def test_full_recipe_prompts_objects_with_masks_but_no_lvis_and_no_expressions(tmp_path):
    cfg = load('glee_r50_stage2', tmp_path)
    probabilities = {}
    for dataset in cfg.train_dataloader.dataset.datasets:
        step = next(step for step in dataset.pipeline if step['type'] == 'SetSource')
        probabilities[step['source']] = step.get('prompt_prob', 0.)
    assert {name: p for name, p in probabilities.items() if p} == dict.fromkeys(
        ('coco', 'sa1b', 'uvo_frames', 'ytvis19', 'ytvis21', 'ovis'), 0.2)
    assert {'objects365', 'lvis', 'refcoco', 'bdd_inst', 'ref_ytvos'} <= set(probabilities)
    vocabulary, prompts = MODELS.build(cfg.model.data_preprocessor).batch_augments
    assert vocabulary.size == 100 and prompts.kinds == dict(mask=0.6, box=0.08, point=0.32)


@pytest.mark.slow
def test_mini_interactive_ends_with_its_metrics(world, tmp_path):
    cfg = load_mini('glee_mini_interactive', world, tmp_path)
    cfg.test_dataloader.num_workers = 0
    cfg.test_dataloader.dataset.indices = 1
    assert cfg.test_cfg.rounds == dict(point=20, box=1, scribble=1, polygon=1, circle=1, mask=1, none=1)
    cfg.test_cfg.rounds.point = 3
    metrics = run_config.build_runner(cfg).test()
    for key in ('3-IoU', *(f'{kind}_mIoU' for kind in cfg.test_cfg.rounds)):
        assert 0 <= metrics[f'interactive/{key}'] <= 1
    assert 1 <= metrics['interactive/NoC@85'] <= metrics['interactive/NoC@90'] <= 3
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    assert metrics['interactive/instances'] == len(dataset[0]['data_samples'].gt_instances)


def convert(folder, *options):
    run_tool('dataset_converters/coco_to_maps.py', folder, '--layout', *options)


@pytest.mark.slow
def test_mini_panoptic_ends_with_its_metrics(world, tmp_path):
    world = own_copy(world, tmp_path / 'world', 'coco')
    convert(world, 'panoptic')
    cfg = load_mini('glee_mini_panoptic', world, tmp_path)
    cfg.test_dataloader.num_workers = 0
    metrics = run_config.build_runner(cfg).test()
    assert 0 <= metrics['panoptic/PQ'] <= 100 and 0 <= metrics['panoptic/mIoU'] <= 100


@pytest.mark.slow
def test_mini_stuff_trains_on_maps(world, tmp_path):
    """The background of each picture is what its objects leave, flipped with them."""
    world = own_copy(world, tmp_path / 'world', 'coco')
    convert(world, 'panoptic', '--split', 'train2017')
    cfg = load_mini('glee_mini_stuff', world, tmp_path, 3)
    cfg.train_dataloader.sampler.ratios = [0, 0, 0, 0, 0, 0, 1]
    runner = run_config.build_runner(cfg)
    batch = next(iter(runner.train_dataloader))
    for sample in batch['data_samples']:
        *things, background = sample.gt_instances.masks.masks.astype(bool)
        assert sample.text[-1] == 'background' and sample.gt_instances.labels[-1] == 10
        assert (background == ~np.logical_or.reduce(things)).all()
    runner.train()
    assert all(np.isfinite(value).all() for value in runner.message_hub.get_scalar('train/loss').data)


@pytest.mark.slow
def test_maps_hold_the_objects_of_the_file(tmp_path):
    write_coco(tmp_path / 'coco', ('star', 'ring'), [[(1, (4, 4, 20, 20)), (0, (10, 10, 30, 8))], []],
               folder='val2017', ann_file='annotations/instances_val2017.json')
    convert(tmp_path, 'voc', 'sbd')
    pipeline = [dict(type='LoadImage'), dict(type='LoadInstanceMap'), dict(type='SetSource', source='a'),
                dict(type='PackGLEEInputs')]
    for kind, root, file in (('VOCInstanceDataset', 'VOCdevkit/VOC2012', 'ImageSets/Segmentation/val.txt'),
                             ('SBDInstanceDataset', 'benchmark_RELEASE/dataset', 'val.txt')):
        dataset = DATASETS.build(dict(type=kind, data_root=str(tmp_path / root), ann_file=file, pipeline=pipeline,
                                      test_mode=True, metainfo=dict(classes=('star', 'ring'))))
        sample = dataset[0]['data_samples']
        expected = np.zeros((2, 48, 64), bool)
        expected[0, 4:24, 4:24] = True
        expected[1, 10:18, 10:40] = True
        expected[0] &= ~expected[1]  # the later object is on top
        assert (sample.gt_instances.masks.masks == expected).all()
        assert [sample.text[label] for label in sample.gt_instances.labels] == ['ring', 'star']
        assert len(dataset[1]['data_samples'].gt_instances) == 0


@pytest.mark.slow
def test_mini_rollout_trains_only_what_it_should(world, tmp_path):
    cfg = load_mini('glee_mini_rollout', world, tmp_path, 3)
    runner = run_config.build_runner(cfg)
    runner.model.init_weights()  # training would do it after the copy
    before = {name: value.clone() for name, value in runner.model.named_parameters()}
    runner.train()
    changed = {name for name, value in runner.model.named_parameters() if not torch.equal(value, before[name])}
    assert 'panoptic_head.confidence_head.layers.0.weight' in changed
    assert not [name for name in changed if name.startswith('backbone') or 'text_encoder' in name]
    # both only through the graded round after others; weight decay moves no 0 and shrinks a row by one factor
    prompter = 'panoptic_head.prompter.'
    gate, dense, signs = (prompter + name for name in ('memory.gate', 'dense.change.weight', 'sign_embed.weight'))
    assert {gate, dense} <= changed and not before[gate].any() and not before[dense].any()
    factors = dict(runner.model.named_parameters())[signs].detach() / before[signs]
    assert (factors.std(1) > 1e-6).all()


@pytest.mark.slow
def test_full_size_rollout_trains_on_coco_alone(world, tmp_path):
    """Two steps of the recipe with narrow layers: backbone and text stay, what is new learns."""
    cfg = shrink(load('glee_r50_rollout', tmp_path, data_root=f'{world}/', **{
        'RandomChoiceResize.scales': [(96, 128)], 'PillowResize.scale': (128, 96), 'RandomApply.prob': 0.,
        'max_iters': 2, 'warmup_iters': 1}))
    run_config.set_amp(cfg, False)
    cfg.train_cfg.val_interval = 10
    cfg.model.backbone.init_cfg = None
    runner = run_config.build_runner(cfg)
    runner.model.init_weights()  # training would do it after the copy
    before = {name: value.clone() for name, value in runner.model.named_parameters()}
    runner.train()
    changed = {name for name, value in runner.model.named_parameters() if not torch.equal(value, before[name])}
    assert {f'panoptic_head.{name}.weight' for name in (
        'confidence_head.layers.0', 'mask_head.layers.0', 'prompter.dense.change')} <= changed
    assert not [name for name in changed if name.startswith('backbone') or 'text_encoder' in name]

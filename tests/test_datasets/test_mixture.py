"""The three stages on a MiniWorld of all sources: ratios, losses, leaks, names."""
import itertools
import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from config_runs import shrink
from mmdet.registry import DATA_SAMPLERS, DATASETS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from paths import CONFIGS, config_file
from worlds import IMAGES

from projects.glee.datasets.conversion import merge_refcoco
from projects.glee.engine.runner import run_config

# DESIGN section 6; the supplement's table 2
PAPER = dict(
    openimages=1.5, objects365=1.5, lvis=1.5, vg_names=1.0, vg_captions=1.0, coco=1.5, refcoco=2.5, sa1b=2.5,
    uvo_frames=0.2, bdd_det=0.1, bdd_inst=0.05, ytvis19=0.3, ytvis21=0.3, ovis=0.3, ref_ytvos=0.3)
RELEASED = {name: ratio for name, ratio in {**PAPER, 'vg_names': 1.5, 'vg_captions': 1.5, 'sa1b': 2.0}.items()
            if name != 'ref_ytvos'}
RATIOS = {
    'stage1': dict(objects365=1.0, openimages=1.0),
    'stage2': PAPER,
    'stage3': {**PAPER, 'sa1b': 5.0, 'grit': 5.0},
    'stage2_released': RELEASED,
    'stage3_released': {**RELEASED, 'sa1b': 5.0, 'grit': 5.0},
}
PROMPTED = {'coco', 'sa1b', 'uvo_frames', 'ytvis19', 'ytvis21', 'ovis'}


def load(name, work_dir, **options):
    return run_config.load_config(Namespace(
        config=str(config_file(name)), cfg_options=options, launcher='none', work_dir=str(work_dir),
        local_rank=0))


def source_of(dataset_cfg):
    return next(step for step in dataset_cfg.pipeline if step.type == 'SetSource')


@pytest.mark.parametrize('size, stage', [
    *itertools.product(('r50', 'swin-l'), RATIOS), *(('eva02-l', f'stage{i}') for i in (1, 2, 3))])
def test_ratios_of_every_stage_and_size(size, stage, tmp_path):
    loader = load(f'glee_{size}_{stage}', tmp_path).train_dataloader
    names = [source_of(dataset).source for dataset in loader.dataset.datasets]
    assert dict(zip(names, loader.sampler.ratios, strict=True)) == RATIOS[stage]
    assert loader.sampler.repeat_thrs == [0.0] * len(names) and loader.batch_size == 2
    for dataset in loader.dataset.datasets:
        step = source_of(dataset)
        assert step.get('prompt_prob', 0.0) == (0.2 if step.source in PROMPTED else 0.0)
        if step.source == 'sa1b':
            assert dataset.ann_file == ('sa1b_2m.json' if 'stage3' in stage else 'sa1b_500k.json')


def test_a_config_of_one_s_own_drops_the_other_sources(tmp_path):
    loader = load('glee_r50_coco_lvis_refcoco', tmp_path).train_dataloader
    names = [source_of(dataset).source for dataset in loader.dataset.datasets]
    assert dict(zip(names, loader.sampler.ratios, strict=True)) == dict(coco=1.5, lvis=1.5, refcoco=2.5)
    assert loader.sampler.type == 'MixtureSampler' and loader.sampler.repeat_thrs == [0.0] * 3


def test_released_schedules():
    for size, iterations, decays in (('r50', 400000, [300000, 380000]), ('swin-l', 450000, [360000, 420000])):
        for stage in (2, 3):
            cfg = Config.fromfile(CONFIGS / f'glee_{size}_stage{stage}_released.py')
            assert cfg.train_cfg.max_iters == iterations and cfg.param_scheduler[1].milestones == decays


# what one image of each source brings: kinds of supervision, masks, and a name of its text
EXPECTED = dict(
    objects365=('box', False), openimages=('box', False), coco=('mask', True), lvis=('mask', True),
    bdd_det=('box', False), bdd_inst=('mask', True), vg_names=('box', False), vg_captions=('box', False),
    grit=('coarse_box', False), uvo_frames=('mask', True), sa1b=('mask', True), refcoco=('mask', True),
    ytvis19=('mask', True), ytvis21=('mask', True), ovis=('mask', True), ref_ytvos=('mask', True),
    ytvos=('mask', True), uvo_video=('mask', True), bdd_seg_track=('mask', True), bdd_box_track=('box', False))


def test_every_source_of_the_paper_is_read(world, tmp_path):
    cfg = load('glee_r50_stage3', tmp_path, data_root=f'{world}/', **{'RandomChoiceResize.scales': [(96, 10000)]})
    seen = {}
    for key in cfg:
        if key.endswith('_train') and key != 'refcoco_train':
            dataset = DATASETS.build(cfg[key])
            sample = dataset[0]['data_samples']
            seen[sample.source] = sample
            assert len(dataset) and len(sample.gt_instances), key
            assert int(sample.gt_instances.labels.max()) < len(sample.text), key
    assert {name: (s.supervision[-1], 'masks' in s.gt_instances) for name, s in seen.items()} == EXPECTED
    for name, sample in seen.items():
        assert (sample.text == ('object', )) == (name in ('sa1b', 'uvo_frames', 'ytvos')), name
        assert (sample.text_mode == 'expression') == (name in ('refcoco', 'ref_ytvos')), name
    assert [len(seen[name].text) for name in ('vg_names', 'vg_captions', 'grit')] == [
        min(200, seen_names(world)), min(200, seen_names(world)), min(100, seen_names(world))]
    assert seen['uvo_video'].text[-1] == 'object' and seen['uvo_video'].text[0].endswith(', object')


def seen_names(world):
    return len((world / 'visual_genome/annotations/names.txt').read_text().splitlines())


@pytest.mark.parametrize('stage', ['stage2', 'stage3'])
def test_ten_thousand_draws_have_the_ratios_also_after_resume_and_on_two_ranks(
        world, tmp_path, stage, monkeypatch):
    loader = load(f'glee_r50_{stage}', tmp_path, data_root=f'{world}/').train_dataloader
    dataset = DATASETS.build(loader.dataset)
    target = np.array(list(RATIOS[stage].values())) / sum(RATIOS[stage].values())
    first = np.cumsum([0, *(len(d) for d in dataset.datasets)])

    def draws(skip=0, rank=0, world_size=1, count=10000):
        monkeypatch.setattr('projects.glee.datasets.samplers.mixture_sampler.get_dist_info',
                            lambda: (rank, world_size))
        sampler = DATA_SAMPLERS.build(loader.sampler, default_args=dict(dataset=dataset, seed=7))
        sampler.skip(skip)
        return list(itertools.islice(sampler, count))

    def error(taken):
        counts = np.bincount(np.searchsorted(first, taken, side='right') - 1, minlength=len(target))
        assert counts.sum() == len(taken) == 10000
        return np.abs(counts / len(taken) - target).max()

    whole = draws()
    assert error(whole) < 0.02
    assert draws(skip=4000, count=6000) == whole[4000:] and error(draws(skip=4000)) < 0.02
    ranks = [draws(rank=rank, world_size=2) for rank in (0, 1)]
    assert all(error(taken) < 0.02 for taken in ranks)
    assert [a for pair in zip(*ranks) for a in pair][:10000] == whole


def test_a_list_gives_each_source_its_own_batch_size(world, tmp_path):
    loader = load('glee_r50_stage1', tmp_path, data_root=f'{world}/', **{
        'train_dataloader.batch_size': [1, 3], 'train_dataloader.num_workers': 0,
        'RandomChoiceResize.scales': [(32, 10000)]}).train_dataloader
    sizes = {}
    for batch in itertools.islice(Runner.build_dataloader(loader, seed=0), 8):
        names = {sample.source for sample in batch['data_samples']}
        assert len(names) == 1
        sizes.setdefault(names.pop(), set()).add(len(batch['inputs']))
    assert sizes == dict(objects365={1}, openimages={3})


def test_repeat_factors_are_a_key_of_every_source(world, tmp_path):
    loader = load('glee_r50_stage1', tmp_path, data_root=f'{world}/', **{
        'train_dataloader.sampler.repeat_thrs': [1.0, 0.0]}).train_dataloader
    dataset = DATASETS.build(loader.dataset)
    sampler = DATA_SAMPLERS.build(loader.sampler, default_args=dict(dataset=dataset, seed=7))
    counts = np.bincount(list(itertools.islice(sampler, 10000)), minlength=len(dataset)) / 10000
    # r(c) = sqrt(1 / share of the images with c), the largest of an image's categories counts
    labels = [set(dataset.datasets[0].get_cat_ids(i)) for i in range(IMAGES)]
    share = {c: sum(c in own for own in labels) / IMAGES for c in set().union(*labels)}
    factors = np.array([max(share[c]**-0.5 for c in own) for own in labels])
    assert np.abs(counts[:IMAGES] - 0.5 * factors / factors.sum()).max() < 0.02
    assert np.abs(counts[IMAGES:] - 0.5 / (len(dataset) - IMAGES)).max() < 0.02


class Witness(Hook):
    """Checks the losses of every iteration against what its samples are annotated with."""

    def __init__(self):
        self.seen = set()

    def before_train(self, runner):
        encoder = runner.model.panoptic_head.text_encoder
        self.mode = encoder.mode
        if encoder.teacher is not None:  # it starts as the student's equal, and the loss at zero
            encoder.teacher.final_layer_norm.bias.data += torch.arange(32.)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        sample = data_batch['data_samples'][0]
        self.seen.add(sample.source)
        if sample.source in ('sa1b', 'uvo_frames'):  # objects without a name
            assert sample.text == ('object', )
        if sample.source == 'grit':
            assert sample.supervision == ('semantic', 'coarse_box')

        def terms(name):
            values = [float(v.detach()) for key, v in outputs.items() if key.split('.')[-1] == name]
            assert len(values) > 1 or name in ('loss_distill', 'loss_track')
            return values

        box, mask = 'box' in sample.supervision, 'mask' in sample.supervision
        for name, wanted in (('loss_cls', True), ('loss_bbox', box), ('loss_giou', box), ('loss_mask', mask),
                             ('loss_dice', mask)):
            values = terms(name)
            assert all(np.isfinite(values)), (sample.source, name)
            # denoising and intermediate outputs have the same switches as the last one
            assert all((v > 0) == wanted for v in values), (sample.source, name, values)
        distilled = sample.text_mode == 'category' and self.mode == 'distill'
        assert (outputs['loss_distill'] > 0) == distilled
        if sample.prompt_prob == 0:
            assert not any(terms('loss_conf'))


@pytest.mark.slow
@pytest.mark.parametrize('stage, iterations, seed', [
    ('stage1', 2, 0), ('stage2', 18, 386), ('stage3', 17, 13879)])  # seeds that soon draw every source
def test_all_sources_train_in_one_mixture_with_their_own_losses(world, tmp_path, stage, iterations, seed):
    count = len(RATIOS[stage])
    cfg = shrink(load(f'glee_r50_{stage}', tmp_path, data_root=f'{world}/', **{
        'train_cfg.max_iters': iterations, 'train_cfg.val_interval': 1000,
        'train_dataloader.sampler.ratios': [1.0] * count,  # so that few iterations see them all
        'train_dataloader.sampler.seed': seed,
        'RandomApply.prob': 0.0,  # a crop may lose all objects, and with them the losses
        'RandomChoiceResize.scales': [(64, 10000)], 'default_hooks.checkpoint.save_last': False}))
    cfg.model.backbone.update(base_channels=8, stem_channels=8)
    cfg.model.panoptic_head.pixel_decoder.in_channels = [32, 64, 128, 256]
    run_config.set_amp(cfg, False)
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    runner = run_config.build_runner(cfg)
    witness = Witness()
    runner.register_hook(witness)
    runner.train()
    assert witness.seen == set(RATIOS[stage])
    # annotations were parsed once, below the work folder
    assert len(list((tmp_path / 'annotation_cache').glob('*/header.json'))) == count


def names_in(files):
    return {image['file_name'] for path in files for image in json.loads(path.read_text())['images']}


def test_no_held_out_image_of_refcoco_is_trained_on(world, tmp_path):
    folder = world / 'annotations'
    held_out = [p for p in sorted(folder.glob('refcoco*/instances_*.json')) if 'train' not in p.name]
    train = [p for p in sorted(folder.glob('refcoco*/instances_train.json')) if 'mixed' not in str(p)]
    assert len(train) == 3 and len(held_out) >= 7
    cfg = load('glee_r50_stage2', tmp_path, data_root=f'{world}/')

    def trained_on(ann_file):
        dataset = DATASETS.build(dict(cfg.refcoco_mixed_train, ann_file=str(ann_file), cache_dir=None))
        return {Path(dataset.get_data_info(i)['img_path']).name for i in range(len(dataset))}

    assert not trained_on(cfg.refcoco_mixed_train.ann_file) & names_in(held_out)
    # RefCOCO+ is given a train entry of a picture that RefCOCOg tests on
    leaked = json.loads(next(p for p in held_out if 'refcocog' in str(p)).read_text())
    name = leaked['images'][0]['file_name']
    content = json.loads(train[0].read_text())
    content['images'].append(dict(leaked['images'][0], id=10**8))
    content['annotations'].append(dict(
        next(a for a in leaked['annotations'] if a['image_id'] == leaked['images'][0]['id']),
        id=10**8, image_id=10**8))
    bad = tmp_path / 'bad.json'
    bad.write_text(json.dumps(content))
    assert name in trained_on(bad)  # the leak is real
    merge_refcoco([bad, *train[1:]], held_out, tmp_path / 'mixed.json')
    mixed = trained_on(tmp_path / 'mixed.json')
    assert mixed and not mixed & names_in(held_out)

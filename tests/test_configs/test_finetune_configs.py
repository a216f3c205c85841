"""Fine-tunes on clips: tasks x sizes; their numbers, and training steps on a small MiniWorld."""
import pytest
import torch
from config_runs import SIZES, load_video, shrink_size

from projects.glee.engine.runner import run_config

# DESIGN section 6, 'Fine-tunes', and section 5, 'Training on clips': iterations, decay, range, shortest and longest
# short side, sources. BDD has no released fine-tune and follows OVIS.
TASKS = {
    'ytvis19': (8000, 6000, 5, (320, 640), ['ytvis19']),
    'ytvis21': (8000, 6000, 5, (320, 640), ['ytvis21']),
    'ovis': (18000, 12000, 10, (480, 800), ['ovis']),
    'vos': (40000, 30000, 10, (320, 640), ['ytvos', 'ytvis19', 'ytvis21', 'ovis', 'uvo_video']),
    'rvos': (8000, 6000, 5, (320, 640), ['ref_ytvos']),
    'bdd_mot': (18000, 12000, 5, (480, 800), ['bdd_box_track']),
    'bdd_mots': (18000, 12000, 5, (480, 800), ['bdd_seg_track']),
}


def steps_of(pipeline):
    """All transforms, those inside of others too."""
    for step in pipeline:
        yield step
        yield from steps_of(step.get('transforms', ()))


def only(pipeline, kind):
    found = [step for step in steps_of(pipeline) if step.type == kind]
    assert len(found) == 1, kind
    return found[0]


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('task', TASKS)
def test_numbers_of_the_fine_tune(task, size, tmp_path):
    iterations, decay_at, clip_range, sides, sources = TASKS[task]
    cfg = load_video(f'{size}_{task}', tmp_path, tmp_path)
    pro = size == 'eva02-l'
    assert cfg.model.type == 'GLEEVideo' and cfg.model.panoptic_head.text_encoder.mode == 'frozen'
    assert cfg.model.backbone.type == dict(zip(SIZES, ('ResNet', 'SwinTransformer', 'EVA02')))[size]
    wrapper = cfg.optim_wrapper
    assert wrapper.optimizer == dict(type='AdamW', lr=1e-4, weight_decay=0.1 if pro else 0.05, fused=True)
    assert wrapper.clip_grad == dict(max_norm=0.01) and wrapper.type == 'AmpOptimWrapper'
    keys = wrapper.paramwise_cfg
    assert (keys.layer_decay_rate == 0.8) if pro else (keys.custom_keys.backbone.lr_mult == 0.1)
    warmup, decay = cfg.param_scheduler
    assert (warmup.start_factor, warmup.end) == (0.01 if pro else 1e-4, 1000)
    assert (decay.milestones, decay.gamma, cfg.train_cfg.max_iters) == ([decay_at], 0.1, iterations)
    datasets = cfg.train_dataloader.dataset.datasets
    assert cfg.train_dataloader.batch_size == 1 and len(cfg.train_dataloader.sampler.ratios) == len(sources)
    assert [only(dataset.pipeline, 'SetSource').source for dataset in datasets] == sources
    for source, dataset in zip(sources, datasets):
        pipeline = dataset.pipeline
        sampled, marked = only(pipeline, 'SampleClip'), only(pipeline, 'SetSource')
        assert (sampled.num_frames, sampled.frame_range) == (2, clip_range)
        assert ('mask' in marked.supervision) == (source != 'bdd_box_track') and 'track' in marked.supervision
        assert marked.get('prompt_prob', 0.0) == float(task == 'vos')
        resizes = [step for step in steps_of(pipeline) if step.type == 'RandomChoiceResize']
        if pro:
            scale, fit = only(pipeline, 'JitterScale'), only(pipeline, 'FitSquare')
            assert (scale.size, tuple(scale.ratio_range), fit.size, fit.pad_value) == (1536, (0.1, 2.0), 1536, 128)
            assert not any(step.prob for step in steps_of(pipeline) if step.type == 'RandomApply')
        else:
            assert [min(scale) for scale in resizes[-1].scales] == list(range(sides[0], sides[1] + 1, 32))
            assert {max(scale) for scale in resizes[-1].scales} == {1333}
            if source != 'ref_ytvos':  # sentences are never cropped
                assert only(pipeline, 'CropWindow').crop_size == (384, 600)


@pytest.mark.slow
@pytest.mark.parametrize('size, task', [('eva02-l', 'ovis'), ('swin-l', 'rvos'), ('r50', 'bdd_mot'),
                                        ('eva02-l', 'bdd_mot'), ('swin-l', 'bdd_mots'), ('swin-l', 'vos')])
def test_two_steps(world, tmp_path, size, task):
    """Weights move and stay finite, the text stays, the tracking or prompt loss is there, squares are whole."""
    options = {'max_iters': 2, 'default_hooks.checkpoint.save_last': False,
               'model.panoptic_head.prompter.template_size': 64}
    if size == 'eva02-l':
        options.update({'JitterScale.size': 128, 'FitSquare.size': 128})
    else:
        options['RandomChoiceResize.scales'] = [(64, 10000)]
        if task != 'rvos':  # sentences are never cropped
            options['RandomApply.prob'] = 0.0
    cfg = shrink_size(load_video(f'{size}_{task}', world, tmp_path, **options), size)
    run_config.set_amp(cfg, False)
    runner, shapes = run_config.build_runner(cfg), []
    runner.model.backbone.register_forward_pre_hook(lambda module, inputs: shapes.append(tuple(inputs[0].shape)))
    before = {name: value.clone() for name, value in runner.model.named_parameters()}
    runner.train()
    after = dict(runner.model.named_parameters())
    assert all(torch.isfinite(value).all() for value in after.values())
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    for part in ('backbone.', 'panoptic_head.pixel_decoder.', 'panoptic_head.decoder.'):
        assert any(name.startswith(part) for name in changed), part
    assert not any('text_model' in name for name in changed)
    losses = {key: value._log_history for key, value in runner.message_hub.log_scalars.items() if 'loss' in key}
    prompted = task == 'vos'  # all its clips, which have no tracking loss
    assert (losses['train/loss_track'].max() > 0) != prompted and (losses['train/loss_conf'].max() > 0) == prompted
    masks = [value for key, history in losses.items() if 'mask' in key or 'dice' in key for value in history]
    assert bool(sum(masks)) == (task != 'bdd_mot')
    assert {shape[0] for shape in shapes} == ({1, 2} if prompted else {2})  # one clip of two frames, and its template
    if size == 'eva02-l':
        assert {shape[-2:] for shape in shapes} == {(128, 128)}

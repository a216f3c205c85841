"""Configs loaded as the tools load them, scaled down to run in seconds."""
from argparse import Namespace

from paths import config_file

from projects.glee.engine.runner import run_config

SIZES = ('r50', 'swin-l', 'eva02-l')
SMALL_BACKBONES = {
    'r50': dict(base_channels=8, stem_channels=8),
    'swin-l': dict(embed_dims=8, depths=[1, 1, 2, 1], num_heads=[1, 1, 2, 2], window_size=4),
    'eva02-l': dict(img_size=128, embed_dims=32, num_layers=3, num_heads=2, window_size=3, global_blocks=(1, )),
}
SMALL_CHANNELS = {'r50': [32, 64, 128, 256], 'swin-l': [8, 16, 32, 64], 'eva02-l': [32] * 4}


def load(name, work_dir, **options):
    """The config called ``name``, with options of --cfg-options."""
    return run_config.load_config(Namespace(
        config=str(config_file(name)), cfg_options=options, launcher='none',
        work_dir=str(work_dir), local_rank=0))


def load_mini(name, world, work_dir, iterations=4):
    """A config of the mini model on images of a MiniWorld; a checkpoint after every second iteration."""
    return load(name, work_dir, data_root=f'{world}/', max_iters=iterations, **{
        'warmup_iters': 2, 'train_dataloader.num_workers': 0,
        'train_dataloader.batch_size': 2, 'default_hooks.checkpoint.interval': 2,
        'default_hooks.logger.interval': 1})


def load_video(name, world, work_dir, **options):
    """The config glee_``name`` on videos of a MiniWorld, with ten queries."""
    return load_file(config_file(f'glee_{name}'), world, work_dir, **options)


def load_file(path, world, work_dir, **options):
    """Any config file of videos, see ``load_video``."""
    cfg = run_config.load_config(Namespace(
        config=str(path), launcher='none', work_dir=str(work_dir), local_rank=0,
        cfg_options=dict(data_root=f'{world}/', **options)))
    cfg.model.panoptic_head.num_queries = 10
    for loader in ('train_dataloader', 'test_dataloader'):
        if cfg.get(loader):
            cfg[loader].update(num_workers=0)
    return cfg


def shrink(cfg):
    """A head of few and narrow layers behind any backbone, no loader workers."""
    head = cfg.model.panoptic_head
    head.update(embed_dims=32, num_queries=10)
    head.text_encoder.update(hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                             intermediate_size=32)
    head.pixel_decoder = dict(type='MaskDINOPixelDecoder', num_layers=1, feedforward_channels=32,
                              norm_groups=4, early_fusion=dict(type='EarlyFusion', hidden_dims=32))
    head.decoder = dict(type='MaskDINODecoder', num_layers=2, feedforward_channels=32)
    head.criterion = dict(type='GLEECriterion', num_points=128,
                          matcher=dict(type='HungarianMatcher', num_points=128))
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name):
            cfg[name].update(num_workers=0, batch_size=1)
    return cfg


def shrink_size(cfg, size):
    """Few and narrow layers in a recipe of ``size``; what its config says about the structure stays."""
    cfg.model.backbone.update(SMALL_BACKBONES[size])
    if 'neck' in cfg.model:
        cfg.model.neck.update(in_channels=32, out_channels=32)
    head = cfg.model.panoptic_head
    head.update(embed_dims=32, num_queries=10)
    head.text_encoder.update(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    head.pixel_decoder.update(num_layers=1, feedforward_channels=32, norm_groups=4, in_channels=SMALL_CHANNELS[size],
                              early_fusion=dict(type='EarlyFusion', hidden_dims=32))
    head.prompter.update(in_channels=SMALL_CHANNELS[size][1:], template_size=64)
    head.decoder.update(num_layers=2, feedforward_channels=32)
    head.criterion = dict(type='GLEECriterion', num_points=128,
                          matcher=dict(type='HungarianMatcher', num_points=128))
    for loader in ('train_dataloader', 'test_dataloader'):
        if cfg.get(loader):
            cfg[loader].update(num_workers=0)
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    return cfg

# GLEE scaled to a CPU: every part of the full model, trained from scratch on MiniWorld.
_base_ = ['./glee_r50.py']

model = dict(
    data_preprocessor=dict(channels_last=True),
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=18,
        base_channels=32,
        stem_channels=32,
        deep_stem=False,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False),
    panoptic_head=dict(
        embed_dims=64,
        num_queries=30,
        align_gain=4.0,
        align_prior=0.01,
        text_encoder=dict(
            type='CLIPTextEncoder',
            mode='unfrozen',
            hidden_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=256),
        pixel_decoder=dict(
            type='MaskDINOPixelDecoder',
            in_channels=[32, 64, 128, 256],
            num_layers=2,
            num_heads=4,
            feedforward_channels=256,
            norm_groups=8,
            early_fusion=dict(
                type='EarlyFusion', hidden_dims=128, num_heads=4, dropout=0.0)),
        decoder=dict(
            type='MaskDINODecoder', num_layers=3, num_heads=4, feedforward_channels=256),
        criterion=dict(
            type='GLEECriterion',
            num_points=1024,
            matcher=dict(type='HungarianMatcher', num_points=1024)),
        denoising=dict(type='DenoisingGenerator', num_queries_dn=30, label_flip=1.0)))

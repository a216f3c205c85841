# GLEE-Lite: ResNet-50, every number of the paper and the released checkpoints.
model = dict(
    type='GLEE',
    data_preprocessor=dict(
        type='GLEEDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_mask=True,
        pad_size_divisor=32,
        batch_augments=[
            dict(type='BatchVocabulary', size=100),
            dict(type='BatchPrompts', kinds=dict(mask=0.6, box=0.08, point=0.32), clip_kinds=dict(mask=1.0))
        ]),
    backbone=dict(
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        frozen_stages=-1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        style='pytorch'),
    panoptic_head=dict(
        type='GLEEHead',
        embed_dims=256,
        num_queries=300,
        text_encoder=dict(type='CLIPTextEncoder', mode='distill'),
        pixel_decoder=dict(
            type='MaskDINOPixelDecoder',
            in_channels=[256, 512, 1024, 2048],
            num_layers=6,
            num_heads=8,
            num_points=4,
            feedforward_channels=2048,
            early_fusion=dict(type='EarlyFusion', hidden_dims=2048, num_heads=8, dropout=0.1)),
        decoder=dict(
            type='MaskDINODecoder',
            num_layers=9,
            num_heads=8,
            num_points=4,
            feedforward_channels=2048),
        prompter=dict(type='VisualPrompter', template_size=256, num_points=512),
        composer=dict(type='PromptComposer', mode='joint', select='confidence')),
    panoptic_fusion_head=dict(type='GLEEFusionHead'),
    test_cfg=dict(max_per_img=100))

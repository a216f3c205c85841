# GLEE scaled to a CPU: every part of the full model, trained from scratch on MiniWorld.
_base_ = ['./glee_r50.py']

model = dict(
    data_preprocessor=dict(channels_last=True),
    backbone=dict(
        _delete_=True,
        type='CSPDarknet',
        deepen_factor=0.33,
        widen_factor=0.25,
        out_indices=(1, 2, 3, 4)),
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
            intermediate_size=256,
            max_position_embeddings=32,  # early fusion reads the padding too
            init_cfg=dict(type='RemoveCommonDirection')),
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
            # Ten times the paper's: it is a mean over queries, and choosing has to be learned in hundreds of steps.
            loss_conf=dict(type='FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=40.0),
            matcher=dict(type='HungarianMatcher', num_points=1024)),
        denoising=dict(type='DenoisingGenerator', num_queries_dn=30, label_flip=1.0),
        dense_supervision=dict(type='DenseSupervision'),
        composer=dict(
            type='PromptComposer', pos_weight=0.5, reference_space='name', reference_power=32., reference_as='name'),
        # A picture of MiniWorld is 160 px high: a template of the released 256 px would cost more than it.
        prompter=dict(template_size=64)))

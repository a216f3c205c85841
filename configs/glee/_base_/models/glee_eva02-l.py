# GLEE-Pro: EVA02-L with a simple feature pyramid. Images are squares of img_size; with smaller ones the
# first rows of the rotary table are used, as in the released model. The drop path rate is the one EVA-02 uses for
# detection; the paper names none.
_base_ = ['./glee_r50.py']

model = dict(
    backbone=dict(
        _delete_=True,
        type='EVA02',
        img_size=1536,
        patch_size=16,
        embed_dims=1024,
        num_layers=24,
        num_heads=16,
        mlp_ratio=8 / 3,
        window_size=16,
        global_blocks=(2, 5, 8, 11, 14, 17, 20, 23),
        drop_path_rate=0.4,
        with_cp=True),
    neck=dict(
        type='SimpleFeaturePyramid',
        in_channels=1024,
        out_channels=256,
        scale_factors=(2, 1, 0.5),
        num_extra_levels=1),
    panoptic_head=dict(
        pixel_decoder=dict(project=False, in_channels=[256, 256, 256, 256]),
        prompter=dict(in_channels=[256, 256, 256])))

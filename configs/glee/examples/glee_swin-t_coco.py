# Any mmdet backbone by config alone, here Swin-T, trained and tested on COCO.
_base_ = ['./glee_r50_coco.py']

model = dict(
    backbone=dict(
        _delete_=True,
        type='SwinTransformer',
        embed_dims=96,
        depths=[2, 2, 6, 2],
        num_heads=[3, 6, 12, 24],
        window_size=7,
        drop_path_rate=0.2,
        out_indices=(0, 1, 2, 3)),
    panoptic_head=dict(
        pixel_decoder=dict(in_channels=[96, 192, 384, 768]), prompter=dict(in_channels=[192, 384, 768])))

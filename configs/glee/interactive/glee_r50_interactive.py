# 1-click mIoU and NoC of GLEE-Lite on COCO val. The other way of choosing the query, by what the word 'object' finds:
# --cfg-options model.panoptic_head.composer.select=object_text
_base_ = [
    '../_base_/models/glee_r50.py', '../_base_/benchmarks/interactive.py', '../_base_/default_runtime.py'
]

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))  # no teacher of distillation

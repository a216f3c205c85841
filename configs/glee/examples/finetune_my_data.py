# Fine-tune GLEE-Lite on your own COCO file: copy this file, put in your paths, and give it to tools/train.py.
# glee finetune --train my.json --val my_val.json --images pics/ --weights glee_lite.pth does the same.
_base_ = ['../finetune/glee_r50_finetune.py']

load_from = 'glee_lite.pth'
train_dataloader = dict(dataset=dict(data_root='', ann_file='my.json', data_prefix=dict(img='pics/')))
val_dataloader = dict(dataset=dict(data_root='', ann_file='my_val.json', data_prefix=dict(img='pics/')))
val_evaluator = dict(ann_file='my_val.json')
test_dataloader, test_evaluator = val_dataloader, val_evaluator
# For boxes alone: --cfg-options LoadInstances.with_mask=False CocoEvalMetric.metric=bbox

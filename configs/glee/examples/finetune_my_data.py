# Fine-tune GLEE-Lite on your own COCO file: copy this file, put in your paths, and give it to tools/train.py.
# glee finetune --train my.json --val my_val.json --images pics/ --weights glee_lite.pth does the same.
_base_ = ['../finetune/glee_r50_finetune.py']

data_root = 'data/my_data/'
load_from = 'glee_lite.pth'
train_dataloader = dict(dataset=dict(ann_file='train.json', data_prefix=dict(img='images/')))
val_dataloader = dict(dataset=dict(ann_file='val.json', data_prefix=dict(img='images/')))
val_evaluator = dict(ann_file='data/my_data/val.json')
test_dataloader, test_evaluator = val_dataloader, val_evaluator
# For boxes alone: --cfg-options LoadInstances.with_mask=False CocoEvalMetric.metric=bbox

# Panoptic, semantic and instance output on COCO val: the 80 names of things and 53 of stuff of its panoptic file.
# Stock mmdet's CocoPanopticDataset reads the file; its names are asked for as they are.
_base_ = ['../datasets/image_sources.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoPanopticDataset',
        test_mode=True,
        return_classes=True,
        data_root='data/coco/',
        ann_file='annotations/panoptic_val2017.json',
        data_prefix=dict(img='val2017/', seg='annotations/panoptic_val2017/'),
        pipeline=[
            dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'),
            dict(type='SetSource', source='panoptic'),
            dict(type='PillowResize', scale=(1333, 800), keep_ratio=True),
            dict(type='LoadPanopticMap'),  # after the resize: original pixels
            dict(type='PackGLEEInputs')
        ]))
test_evaluator = [
    dict(
        type='PanopticMetric',
        ann_file='data/coco/annotations/panoptic_val2017.json',
        seg_prefix='data/coco/annotations/panoptic_val2017/',
        prefix='panoptic'),
    dict(type='SemSegMetric', iou_metrics=['mIoU'], prefix='panoptic'),
    dict(
        type='CocoEvalMetric',
        ann_file='data/coco/annotations/instances_val2017.json',
        metric=['bbox', 'segm'],
        proposal_nums=(1, 10, 100),
        prefix='panoptic')
]
test_cfg = dict()

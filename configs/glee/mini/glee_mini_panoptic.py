# Panoptic, semantic and instance output on MiniWorld, whose one stuff name is what no object covers. Write its
# maps first: python tools/dataset_converters/coco_to_maps.py data/miniworld --layout panoptic
_base_ = ['./glee_mini_stage2.py']

thing_classes = (
    'circle', 'square', 'triangle', 'star', 'ring', 'cross', 'heart', 'crescent', 'arrow', 'hourglass')
stuff_classes = ('background', )

test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoPanopticDataset',
        test_mode=True,
        return_classes=True,
        metainfo=dict(
            classes=thing_classes + stuff_classes, thing_classes=thing_classes, stuff_classes=stuff_classes),
        data_root='data/miniworld/coco/',
        ann_file='annotations/panoptic_val2017.json',
        data_prefix=dict(img='val2017/', seg='annotations/panoptic_val2017/'),
        pipeline=[
            dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'),
            dict(type='SetSource', source='panoptic'),
            dict(type='PillowResize', scale=(10000, 160), keep_ratio=True),
            dict(type='LoadPanopticMap'),  # after the resize: original pixels
            dict(type='PackGLEEInputs')
        ]))
test_evaluator = [
    dict(
        type='PanopticMetric',
        ann_file='data/miniworld/coco/annotations/panoptic_val2017.json',
        seg_prefix='data/miniworld/coco/annotations/panoptic_val2017/',
        prefix='panoptic'),
    dict(type='SemSegMetric', iou_metrics=['mIoU'], prefix='panoptic'),
    dict(
        type='CocoEvalMetric',
        ann_file='data/miniworld/coco/annotations/instances_val2017.json',
        metric=['bbox', 'segm'],
        proposal_nums=(1, 10, 100),
        prefix='panoptic')
]
test_cfg = dict()

# Test sets of pictures that no training config tests on, at the real relative paths below data/, and their metrics.
_base_ = ['./image_sources.py']

test_steps = _base_.coco_val.pipeline

# ---- COCO test-dev: a result file for the server ----
coco_test_dev = dict(
    type='TextCocoDataset',
    test_mode=True,
    data_root='data/coco/',
    ann_file='annotations/image_info_test-dev2017.json',
    data_prefix=dict(img='test2017/'),
    pipeline=test_steps)
# Writes coco_test-dev.bbox.json and coco_test-dev.segm.json into the work folder.
coco_test_dev_metric = dict(
    type='CocoEvalMetric',
    ann_file='data/coco/annotations/image_info_test-dev2017.json',
    metric=['bbox', 'segm'],
    proposal_nums=(1, 10, 100),
    format_only=True,
    outfile_prefix='coco_test-dev')

# ---- LVIS minival: the images of LVIS val that are in COCO's val2017 ----
lvis_minival = dict(_base_.lvis_val, ann_file='lvis/lvis_v1_minival_inserted_image_name.json')
lvis_minival_metric = dict(
    type='LVISEvalMetric', ann_file='data/lvis/lvis_v1_minival_inserted_image_name.json', metric=['bbox', 'segm'])
# The best 10,000 of each category instead of the best 300 of each image: compare it with a larger max_per_img.
lvis_minival_fixed_metric = dict(lvis_minival_metric, type='LVISFixedEvalMetric', prefix='lvis_fixed')

# ---- Objects365 v2, OpenImages v6: as the released GLEE, plain COCO AP of boxes ----
objects365_val = dict(
    type='TextObjects365Dataset',
    test_mode=True,
    data_root='data/Objects365V2/',
    ann_file='annotations/zhiyuan_objv2_val_new.json',
    data_prefix=dict(img='val/'),
    vocabulary='objects365_v2',
    pipeline=test_steps)
objects365_metric = dict(
    type='CocoEvalMetric',
    ann_file='data/Objects365V2/annotations/zhiyuan_objv2_val_new.json',
    metric='bbox',
    proposal_nums=(1, 10, 100),
    prefix='objects365')
openimages_val = dict(
    type='TextCocoDataset',
    test_mode=True,
    data_root='data/openimages/',
    ann_file='openimages_v6_val_bbox_splitdir.json',
    data_prefix=dict(img='detection/'),
    vocabulary='openimages_v6',
    pipeline=test_steps)
openimages_metric = dict(
    type='CocoEvalMetric',
    ann_file='data/openimages/openimages_v6_val_bbox_splitdir.json',
    metric='bbox',
    proposal_nums=(1, 10, 100),
    prefix='openimages')

# ---- BDD100K ----
bdd_det_val = dict(
    type='TextCocoDataset',
    test_mode=True,
    data_root='data/bdd100k/',
    ann_file='labels/det_20/det_val_cocofmt.json',
    data_prefix=dict(img='images/100k/val/'),
    vocabulary='bdd_det',
    pipeline=test_steps)
bdd_det_metric = dict(
    type='CocoEvalMetric',
    ann_file='data/bdd100k/labels/det_20/det_val_cocofmt.json',
    metric='bbox',
    proposal_nums=(1, 10, 100),
    prefix='bdd_det')
bdd_inst_val = dict(
    type='TextCocoDataset',
    test_mode=True,
    data_root='data/bdd100k/',
    ann_file='labels/ins_seg/polygons/ins_seg_val_cocoformat.json',
    data_prefix=dict(img='images/10k/val/'),
    vocabulary='bdd_inst',
    pipeline=test_steps)
bdd_inst_metric = dict(
    type='CocoEvalMetric',
    ann_file='data/bdd100k/labels/ins_seg/polygons/ins_seg_val_cocoformat.json',
    metric=['bbox', 'segm'],
    proposal_nums=(1, 10, 100),
    prefix='bdd_inst')

# ---- UVO frames: every object is 'object'; uvo/segm_AR@100 ----
uvo_frames_val = dict(
    type='TextCocoDataset',
    test_mode=True,
    data_root='data/UVO/',
    ann_file='annotations/FrameSet/UVO_frame_val_onecate.json',
    data_prefix=dict(img='uvo_videos_sparse_frames/'),
    prompts='uvo_frame',
    pipeline=test_steps)
# mmdet names its recalls after their place in proposal_nums: with these three the one of 100 is called AR@100.
uvo_metric = dict(
    type='CocoEvalMetric',
    ann_file='data/UVO/annotations/FrameSet/UVO_frame_val_onecate.json',
    metric='segm',
    metric_items=['mAP', 'AR@100'],
    proposal_nums=(100, 300, 1000),
    prefix='uvo')


# ---- RefCOCO, RefCOCO+, RefCOCOg: every split of each, from the REFER files ----
def referring(folder, split_by, splits):
    """A test set for each split; numbers of each are named after it."""
    return [
        dict(
            _base_.refcoco_test[0],
            ann_file=f'{folder}/instances.json',
            split_file=f'{folder}/refs({split_by}).p',
            split=split,
            pipeline=[
                dict(step, source=split) if step.type == 'SetSource' else step
                for step in _base_.refcoco_test[0].pipeline
            ]) for split in splits
    ]


refcoco_all = referring('refcoco', 'unc', ['val', 'testA', 'testB'])
refcoco_plus_all = referring('refcoco+', 'unc', ['val', 'testA', 'testB'])
refcocog_all = referring('refcocog', 'umd', ['val', 'test'])

# ---- OmniLabel: all descriptions of an image are one vocabulary (the released code has no test of it) ----
omnilabel_val = dict(
    type='OmniLabelDataset',
    test_mode=True,
    data_root='data/omnilabel/',
    ann_file='dataset_all_val_v0.1.3.json',
    data_prefix=dict(img='images/'),
    pipeline=test_steps)
omnilabel_metric = dict(
    type='OmniLabelMetric', ann_file='data/omnilabel/dataset_all_val_v0.1.3.json', outfile_prefix='omnilabel')

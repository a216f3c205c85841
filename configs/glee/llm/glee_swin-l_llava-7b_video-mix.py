# GLUS's recipe A over GLEE-Plus: MeViS, Ref-YouTube-VOS, Ref-DAVIS17, ReVOS and LV-VIS as 40 : 150 : 4 : 30 : 30,
# without the contrastive loss. Weights and memory as of glee_swin-l_llava-7b_video.py. Not trained by us: no number of
# it is ours.
_base_ = ['./glee_swin-l_llava-7b_video.py']

model = dict(contrastive=None)
train_dataloader = dict(
    sampler=dict(ratios=[40.0, 150.0, 4.0, 30.0, 30.0]),
    dataset=dict(
        _delete_=True,
        type='MixtureDataset',
        datasets=[
            *_base_.train_dataloader.dataset.datasets,
            dict(
                type='RefDavisDataset',
                data_root='data/ref-davis/',
                ann_file='meta_expressions/train/meta_expressions.json',
                data_prefix=dict(img='DAVIS/JPEGImages/480p/', ann='DAVIS/Annotations_unsupervised/480p/'),
                pipeline=[dict(type='AskVideo', source='ref_davis')]),
            dict(
                type='ReVOSDataset',
                data_root='data/ReVOS/',
                ann_file='meta_expressions_train_.json',
                mask_file='mask_dict.json',
                data_prefix=dict(img='JPEGImages/'),
                pipeline=[dict(type='AskVideo', source='revos')]),
            dict(
                type='YTVISJsonDataset',
                data_root='data/lvvis/',
                ann_file='train_instances.json',
                data_prefix=dict(img='train/JPEGImages/'),
                pipeline=[dict(type='AskVideo', source='lvvis')])
        ]))
train_cfg = dict(max_iters=50000)

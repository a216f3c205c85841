# GLUS over GLEE-Plus (its recipe S, with the contrastive loss): expressions about videos of MeViS and Ref-YouTube-VOS,
# one to one, with four frames of the whole video, a window of four and a memory of masks.
#
# Weights, by path; nothing is downloaded:
#   language_model.path   LLaVA-1.5-7B as transformers saves it (llava-hf/llava-1.5-7b-hf)
#   glee.checkpoint       a released GLEE-Plus
#   load_from             iter_*.pth of glee_swin-l_llava-7b_reasoning.py, as GLUS starts from LISA
# Memory, estimated and not measured: 17 GB of weights (see there), and with gradient checkpointing about 20 GB for 6
# dialogues of 1000 tokens: a GPU of 40 GB. Not trained by us: no number of it is ours.
_base_ = ['../_base_/llm_runtime.py']

model = dict(
    type='VideoReasoningSegmentor',
    glee=dict(
        config='configs/glee/image/glee_swin-l_coco-val.py', checkpoint='models/GLEE_Plus_joint.pth', max_objects=32,
        cached_mb=2048),
    language_model=dict(
        type='LlavaAdapter',
        path='models/llava-1.5-7b-hf',
        pooled=8,
        dtype='bfloat16',
        gradient_checkpointing=True,
        train_projector=True,
        lora=dict(r=8, alpha=16, dropout=0.05)),
    num_objects=32,
    memory=dict(width=64, layers=2, heads=4),
    contrastive=dict(size=512, negatives=128, tau=0.07, weight=0.1))

mevis = dict(
    type='MetaExpressionsDataset',
    ann_file='meta_expressions.json',
    mask_file='mask_dict.json',
    data_prefix=dict(img='JPEGImages/'))
train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    sampler=dict(type='MixtureSampler', ratios=[1.0, 1.0], seed=0),
    collate_fn=dict(type='collate_dialogues'),
    dataset=dict(
        type='MixtureDataset',
        datasets=[
            dict(**mevis, data_root='data/mevis/train/', pipeline=[dict(type='AskVideo', source='mevis')]),
            dict(
                type='ExpressionVideosDataset',
                data_root='data/ref-youtube-vos/',
                ann_file='train.json',
                data_prefix=dict(img='train/JPEGImages/'),
                pipeline=[dict(type='AskVideo', source='ref_ytvos')])
        ]))
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='collate_dialogues'),
    dataset=dict(**mevis, data_root='data/mevis/valid_u/', test_mode=True, pipeline=[dict(type='ShowVideo')]))
test_evaluator = dict(type='ExpressionJFMetric', prefix='mevis')
test_cfg = dict()

train_cfg = dict(type='IterBasedTrainLoop', max_iters=30000, val_interval=1000000)
optim_wrapper = dict(accumulative_counts=10)
auto_scale_lr = dict(base_batch_size=20)

# LISA with GLEE-Plus in the place of SAM (GLEE section 4.4): LLaVA-1.5-7B with LoRA on ReasonSeg and RefCOCO/+/g.
#
# Weights, by path; nothing is downloaded:
#   language_model.path   LLaVA-1.5-7B as transformers saves it (llava-hf/llava-1.5-7b-hf)
#   glee.checkpoint       a released GLEE-Plus
# Memory, estimated and not measured: 14 GB for the language model in bfloat16, 0.7 GB for CLIP, 1.5 GB for GLEE, and
# with gradient checkpointing about 6 GB for the activations of 2 dialogues of 750 tokens: a GPU of 24 GB. Only LoRA,
# rows of new tokens and the projectors are trained (about 26 million numbers), so the optimiser needs 0.3 GB.
# Not trained by us: no number of it is ours. Mixture and schedule are LISA's where it states them.
_base_ = ['../_base_/llm_runtime.py']

model = dict(
    type='ReasoningSegmentor',
    glee=dict(
        config='configs/glee/image/glee_swin-l_coco-val.py', checkpoint='models/GLEE_Plus_joint.pth', cached_mb=0),
    language_model=dict(
        type='LlavaAdapter',
        path='models/llava-1.5-7b-hf',
        dtype='bfloat16',
        gradient_checkpointing=True,
        lora=dict(r=8, alpha=16, dropout=0.05)),
    num_objects=100,
    cached_mb=0)

ask_referring = [dict(type='AskReferring', random_wording=True, max_turns=1)]
reason_seg = dict(type='ReasonSegDataset', data_root='data/ReasonSeg/')
train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    sampler=dict(type='MixtureSampler', ratios=[1.0, 1.0, 1.0, 1.0], seed=0),
    collate_fn=dict(type='collate_dialogues'),
    dataset=dict(
        type='MixtureDataset',
        datasets=[
            dict(
                **reason_seg,
                ann_file='explanatory/train.json',
                data_prefix=dict(img='train/'),
                pipeline=[dict(type='AskReasonSeg', random_wording=True)]),
            *[
                dict(
                    type='RefCocoJsonDataset',
                    data_root='data/',
                    ann_file=f'annotations/{folder}/instances_train.json',
                    data_prefix=dict(img='coco/train2014/'),
                    pipeline=ask_referring)
                for folder in ('refcoco-unc', 'refcocoplus-unc', 'refcocog-umd')
            ]
        ]))
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='collate_dialogues'),
    dataset=dict(**reason_seg, data_prefix=dict(img='val/'), pipeline=[dict(type='AskReasonSeg')]))
test_evaluator = dict(type='ReasonSegMetric')
test_cfg = dict()

train_cfg = dict(type='IterBasedTrainLoop', max_iters=50000, val_interval=1000000)
optim_wrapper = dict(accumulative_counts=10)
auto_scale_lr = dict(base_batch_size=20)

# Two objects that look the same pass each other; which one is meant is said by where it was at first. A small LLaVA,
# trained from random weights on a CPU, over a frozen mini GLEE, with a memory of masks (GLUS). The videos:
# python tools/dataset_converters/make_reasoning_world.py data/miniworld --images 0 --val-images 0 --videos 120 \
#     --val-videos 24 --video-sets look_alikes
# At test without the memory: --cfg-options model.memory=None load_ignore="['^memory']"
# Every frame alone, in training and at test: --cfg-options model.memory=None model.context=0 model.window=1
#     train_dataloader.batch_size=16 train_dataloader.dataset.pipeline.0.context=0
#     train_dataloader.dataset.pipeline.0.window=1 train_dataloader.dataset.pipeline.0.first=0
_base_ = ['./glee_mini_llava-mini_video.py']

model = dict(
    num_objects=4,
    use_image_tokens=False,  # a tower of random weights sees nothing of use
    object_masks=True,
    readout='objects',
    loss_weights=dict(_delete_=True, text=1.0, objects=2.0),
    context=4,
    window=8,
    train_stride=3,
    remember_truth=True)

train_dataloader = dict(
    dataset=dict(
        data_root='data/miniworld/look_alikes/train/',
        pipeline=[
            dict(type='AskVideo', expressions=2, context=4, window=8, first=1.0, random_wording=False, source='mevis')
        ]))
test_dataloader = dict(dataset=dict(data_root='data/miniworld/look_alikes/valid_u/'))
test_evaluator = dict(prefix='look_alikes')

train_cfg = dict(max_iters=400)
default_hooks = dict(checkpoint=dict(interval=400))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'memory.gate': dict(lr_mult=20.0)}))

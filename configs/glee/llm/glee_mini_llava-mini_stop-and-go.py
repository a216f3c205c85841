# Which object stopped, set off last, moved all the time or not at all: questions of MiniWorld that need several frames.
# A small LLaVA, trained from random weights on a CPU, over a frozen mini GLEE; each frame is asked about after four
# frames of the whole video. The videos:
# python tools/dataset_converters/make_reasoning_world.py data/miniworld --images 0 --val-images 0 --videos 300 \
#     --val-videos 24 --video-sets stop_and_go
# Every frame alone, in training and at test:
# --cfg-options model.context=0 train_dataloader.dataset.pipeline.0.context=0
_base_ = ['./glee_mini_llava-mini_video.py']

model = dict(
    glee=dict(cached_mb=700),
    num_objects=4,
    use_image_tokens=False,  # a tower of random weights sees nothing of use
    object_masks=True,
    readout='objects',
    loss_weights=dict(_delete_=True, text=1.0, objects=2.0),
    memory=None,
    context=4,
    window=1)

train_dataloader = dict(
    batch_size=10,
    dataset=dict(
        data_root='data/miniworld/stop_and_go/train/',
        pipeline=[
            dict(type='AskVideo', expressions=2, context=4, window=1, random_wording=False, source='stop_and_go')
        ]))
test_dataloader = dict(dataset=dict(data_root='data/miniworld/stop_and_go/valid_u/'))
test_evaluator = dict(prefix='stop_and_go')

train_cfg = dict(max_iters=600)
default_hooks = dict(checkpoint=dict(interval=600))

# Fine-tuning on the segmentation tracks of BDD100K.
# The paper has no such fine-tune: the schedule and sizes are those of OVIS. Frames are annotated 5 times a second,
# so that the 5 frames of SampleClip are a second.
_base_ = ['./ovis.py']

train_dataloader = dict(dataset=dict(datasets=[_base_.bdd_seg_track_train]))

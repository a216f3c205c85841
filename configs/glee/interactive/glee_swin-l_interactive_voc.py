# 1-click mIoU and NoC of GLEE-Plus on Pascal VOC val.
_base_ = ['./glee_swin-l_interactive.py']

test_dataloader = dict(dataset=dict(_delete_=True, **_base_.voc_interactive))

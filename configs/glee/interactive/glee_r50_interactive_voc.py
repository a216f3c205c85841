# 1-click mIoU and NoC of GLEE-Lite on Pascal VOC val.
_base_ = ['./glee_r50_interactive.py']

test_dataloader = dict(dataset=dict(_delete_=True, **_base_.voc_interactive))

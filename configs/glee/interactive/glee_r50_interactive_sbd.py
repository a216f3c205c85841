# 1-click mIoU and NoC of GLEE-Lite on SBD val.
_base_ = ['./glee_r50_interactive.py']

test_dataloader = dict(dataset=dict(_delete_=True, **_base_.sbd_interactive))

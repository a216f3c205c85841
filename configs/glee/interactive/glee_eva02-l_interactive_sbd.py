# 1-click mIoU and NoC of GLEE-Pro on SBD val.
_base_ = ['./glee_eva02-l_interactive.py']

test_dataloader = dict(dataset=dict(_delete_=True, **_base_.sbd_interactive))

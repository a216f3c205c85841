# Prompts of several kinds on MiniWorld's objects in the layout of SBD. Write them first:
# python tools/dataset_converters/coco_to_maps.py data/miniworld --layout sbd
_base_ = ['./glee_mini_interactive.py']

test_dataloader = dict(
    dataset=dict(_delete_=True, **dict(_base_.sbd_interactive, data_root='data/miniworld/benchmark_RELEASE/dataset/')))

"""Batches of dialogues."""
from mmengine.registry import FUNCTIONS


@FUNCTIONS.register_module()
def collate_dialogues(items: list) -> dict:
    """``inputs``, a list of pictures of each sample, and ``data_samples``; nothing is stacked."""
    return dict(inputs=[item['inputs'] for item in items], data_samples=[item['data_samples'] for item in items])

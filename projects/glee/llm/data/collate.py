"""Batches of dialogues."""
from mmengine.registry import FUNCTIONS


@FUNCTIONS.register_module()
def collate_dialogues(items: list) -> dict:
    """``inputs``, the pictures of each sample, and ``data_samples``; nothing is stacked. An item may be a list of
    several dialogues."""
    items = [one for item in items for one in (item if isinstance(item, list) else [item])]
    return dict(inputs=[item['inputs'] for item in items], data_samples=[item['data_samples'] for item in items])

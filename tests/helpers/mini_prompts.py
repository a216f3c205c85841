"""A mini model that is prompted round after round."""
import copy

import torch
from mini_model import SIZE, category_sample, images, mini_config
from mmengine.structures import InstanceData


def prompted_config(**prompter):
    """Model config of the mini model with small templates and other options of its prompter."""
    cfg = mini_config()
    cfg.panoptic_head.prompter.update(template_size=64, **prompter)
    return cfg


def prompted_sample(prev=True, seed=0):
    """A sample with one point prompt (4 x 6 px) in a later round, or with ``prev=False`` in its first."""
    sample = category_sample(seed=seed)
    masks = torch.zeros(1, *SIZE, dtype=torch.bool)
    masks[0, 20:24, 30:36] = True
    previous = torch.randn(16, 24, generator=torch.Generator().manual_seed(seed))
    sample.prompts = InstanceData(masks=masks, kinds=['point'], object_ids=torch.zeros(1, dtype=torch.long),
                                  prev_logits=[previous if prev else None])
    return sample


def raw_outputs(model, sample):
    """What the head predicts for the sample, before any choice of queries."""
    with torch.no_grad():
        return model(images(1), [copy.deepcopy(sample)], mode='tensor')

"""A mini model that is prompted round after round."""
import copy

import torch
from mini_model import SIZE, category_sample, images, mini_config
from mmengine.structures import InstanceData


def config(**prompter):
    cfg = mini_config()
    cfg.panoptic_head.prompter.update(template_size=64, **prompter)
    return cfg


def prompted(prev=True, seed=0):
    sample = category_sample(seed=seed)
    masks = torch.zeros(1, *SIZE, dtype=torch.bool)
    masks[0, 20:24, 30:36] = True
    previous = torch.randn(16, 24, generator=torch.Generator().manual_seed(seed))
    sample.prompts = InstanceData(masks=masks, kinds=['point'], object_ids=torch.zeros(1, dtype=torch.long),
                                  prev_logits=[previous if prev else None])
    return sample


def raw(model, sample):
    with torch.no_grad():
        return model(images(1), [copy.deepcopy(sample)], mode='tensor')

"""Names of an untrained text encoder."""
import itertools

import pytest
import torch
from mmengine.config import Config

from projects.glee.models.language_models import CLIPTextEncoder


def test_untrained_names_start_apart():
    """What all one-word texts share is projected out: a mean cosine of 0.8 becomes small."""
    torch.manual_seed(0)
    encoder = CLIPTextEncoder(mode='unfrozen', embed_dims=64, hidden_size=64, num_hidden_layers=2,
                              num_attention_heads=4, intermediate_size=256,
                              init_cfg=dict(type='RemoveCommonDirection')).eval()
    names = ('circle', 'square', 'triangle', 'star', 'ring', 'cross', 'heart', 'crescent')

    def mean_cosine():
        with torch.no_grad():
            unit = torch.nn.functional.normalize(encoder(names).pooled, dim=1)
        return ((unit @ unit.t()).sum() - len(names)) / (len(names) * (len(names) - 1))

    assert mean_cosine() > 0.8
    encoder.init_weights()
    assert mean_cosine() < 0.4


@pytest.mark.parametrize('seed', range(3))
def test_words_of_a_name_weigh_the_same(seed):
    """As the small model starts, it does not matter much which of three words differs; by CLIP's rule it does."""
    config = Config.fromfile('configs/glee/_base_/models/glee_mini.py').model.panoptic_head.text_encoder
    words = (('solid', 'striped', 'dotted'), ('red', 'green', 'blue', 'pink'), ('circle', 'star', 'ring', 'cross'))
    config.pop('type')
    names = list(itertools.product(*words))

    def cosines(init_cfg):
        """Mean cosine, without the mean of all names, of those that differ in the first, second, third word alone."""
        torch.manual_seed(seed)
        encoder = CLIPTextEncoder(embed_dims=64, **{**config, 'init_cfg': init_cfg}).eval()
        encoder.init_weights()
        with torch.no_grad():
            pooled = encoder([' '.join(name) for name in names]).pooled
        unit = torch.nn.functional.normalize(pooled - pooled.mean(0), dim=1)
        similar = unit @ unit.t()
        return [float(torch.stack([similar[i, j] for i, one in enumerate(names) for j, other in enumerate(names)
                                   if [k for k in range(3) if one[k] != other[k]] == [place]]).mean())
                for place in range(3)]

    ours, clip = cosines(config.init_cfg), cosines(config.init_cfg[1:])
    assert max(ours) - min(ours) < 0.2
    assert max(clip) - min(clip) > 0.35

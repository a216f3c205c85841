"""Names of an untrained text encoder."""
import torch

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

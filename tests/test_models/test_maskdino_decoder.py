"""What queries read of each other in the object decoder."""
import pytest
import torch

from projects.glee.models.maskdino_decoder import MaskDINODecoderLayer


@pytest.mark.parametrize('position_in_values', [False, True])
def test_values_of_self_attention(position_in_values):
    """Attention written out for one head: positions steer it, and are read on request only."""
    torch.manual_seed(0)
    layer = MaskDINODecoderLayer(8, 1, 1, 2, 16, 0., position_in_values).eval()
    query, position, prompt, memory = (torch.randn(2, count, 8) for count in (5, 5, 3, 6))
    seen = []
    layer.norms[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        layer(query, position, memory, torch.rand(2, 5, 1, 4), None, prompt,
              spatial_shapes=torch.tensor([[2, 3]]), level_start_index=torch.tensor([0]))
        (to_query, to_key, to_value), bias = layer.self_attn.in_proj_weight.split(8), layer.self_attn.in_proj_bias
        moved = query + position
        keys = torch.cat([moved, 2 * prompt], 1) @ to_key.T + bias[8:16]
        values = torch.cat([moved if position_in_values else query, prompt], 1) @ to_value.T + bias[16:]
        weights = ((moved @ to_query.T + bias[:8]) @ keys.transpose(1, 2) / 8**0.5).softmax(-1)
        expected = query + layer.self_attn.out_proj(weights @ values)
    torch.testing.assert_close(seen[0], expected)

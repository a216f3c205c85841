"""EVA-02 and its pyramid against small references written from the formulas."""
import math

import pytest
import torch
import torch.nn.functional as F
from block_references import layer_norm, random, randomize

from projects.glee.models.backbones.eva02 import EVA02, AxialRotaryEmbedding, WindowRotaryAttention
from projects.glee.models.necks.simple_feature_pyramid import SimpleFeaturePyramid

TINY = dict(img_size=64, patch_size=8, embed_dims=32, num_layers=3, num_heads=2, window_size=3, global_blocks=(1, ),
            pretrain_img_size=40, rope_pretrain_size=5)


def rotate(x, positions, theta=10000.):
    """RoPE of (N, D) by complex multiplication; ``positions`` are (row, column) of each token."""
    half = x.shape[1] // 2
    x = x.detach()
    out = torch.empty_like(x)
    for n, position in enumerate(positions):
        for axis in range(2):
            for i in range(half // 2):
                angle = position[axis] * theta**(-2 * i / half)
                channel = axis * half + 2 * i
                number = complex(x[n, channel], x[n, channel + 1]) * complex(math.cos(angle), math.sin(angle))
                out[n, channel], out[n, channel + 1] = number.real, number.imag
    return out


def grid_positions(size, pretrain_size, count):
    return [(n // size / size * pretrain_size, n % size / size * pretrain_size) for n in range(count)]


def attention(x, module, positions):
    """Multi-head attention of (N, C) with RoPE on queries and keys, head by head."""
    q = x @ module.q_proj.weight.T + module.q_proj.bias
    k = x @ module.k_proj.weight.T
    v = x @ module.v_proj.weight.T + module.v_proj.bias
    dims = x.shape[1] // module.num_heads
    heads = []
    for h in range(module.num_heads):
        part = slice(h * dims, (h + 1) * dims)
        scores = (rotate(q[:, part], positions) * dims**-0.5) @ rotate(k[:, part], positions).T
        heads.append(scores.softmax(1) @ v[:, part])
    return torch.cat(heads, 1) @ module.proj.weight.T + module.proj.bias


def window_attention(x, module, window, pretrain_size):
    """Window by window over a map (H, W, C); positions outside the map are zero vectors and take part."""
    height, width, channels = x.shape
    out = torch.zeros_like(x)
    for top in range(0, height, window):
        for left in range(0, width, window):
            tokens = torch.zeros(window, window, channels)
            inside = x[top:top + window, left:left + window]
            tokens[:inside.shape[0], :inside.shape[1]] = inside
            attended = attention(tokens.flatten(0, 1), module, grid_positions(window, pretrain_size, window**2))
            out[top:top + window, left:left + window] = attended.unflatten(
                0, (window, window))[:inside.shape[0], :inside.shape[1]]
    return out


def swiglu(x, mlp):
    """SwiGLU with a LayerNorm in front of the last matrix."""
    w1, w2 = mlp.w12.weight.chunk(2)
    b1, b2 = mlp.w12.bias.chunk(2)
    gate = x @ w1.T + b1
    hidden = gate / (1 + torch.exp(-gate)) * (x @ w2.T + b2)
    return layer_norm(hidden, mlp.norm) @ mlp.w3.weight.T + mlp.w3.bias


@pytest.mark.parametrize('size, pretrain_size', [(4, 4), (6, 4)])
def test_rope_is_complex_multiplication_at_interpolated_positions(size, pretrain_size):
    x = random(size * size, 16)
    expected = rotate(x, grid_positions(size, pretrain_size, size * size))
    torch.testing.assert_close(AxialRotaryEmbedding(16, size, pretrain_size)(x), expected, atol=2e-6, rtol=0)


def test_rope_of_a_smaller_map_takes_the_first_rows_of_the_table():
    rope = AxialRotaryEmbedding(16, 6, 4)
    x = random(3 * 4, 16)  # 3 rows of 4 columns count as two rows of 6
    torch.testing.assert_close(rope(x), rotate(x, grid_positions(6, 4, 12)), atol=2e-6, rtol=0)
    with pytest.raises(ValueError, match='img_size'):
        rope(random(37, 16))


@pytest.mark.parametrize('size', [(6, 6), (7, 4)])
def test_windows_are_padded_with_zeros_that_take_part(size):
    module = randomize(WindowRotaryAttention(32, 2, AxialRotaryEmbedding(16, 3, 5), window_size=3))
    x = random(*size, 32)
    expected = window_attention(x, module, 3, 5)
    output = module(x.flatten(0, 1)[None], size)[0].unflatten(0, size)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-4)


def test_backbone_block_by_block():
    """Bicubic positions, pre-norm blocks with windows or without, sub-LN, no final norm."""
    model = randomize(EVA02(**TINY))
    image = random(1, 3, 40, 56)
    height, width = 5, 7
    x = F.conv2d(image, model.patch_embed.projection.weight, model.patch_embed.projection.bias, stride=8)[0]
    table = model.pos_embed[0, 1:].unflatten(0, (5, 5)).permute(2, 0, 1)
    positions = F.interpolate(table[None], (height, width), mode='bicubic', align_corners=False)[0]
    x = (x + positions).permute(1, 2, 0)
    for index, layer in enumerate(model.layers):
        normed = layer_norm(x, layer.norm1)
        if index == 1:
            attended = attention(normed.flatten(0, 1), layer.attn, grid_positions(8, 5, height * width))
            attended = attended.unflatten(0, (height, width))
        else:
            attended = window_attention(normed, layer.attn, 3, 5)
        x = x + attended
        x = x + swiglu(layer_norm(x, layer.norm2), layer.mlp)
    output, = model(image)
    assert output.shape == (1, 32, height, width)
    torch.testing.assert_close(output[0].permute(1, 2, 0), x, atol=2e-4, rtol=1e-4)


def test_checkpointing_changes_no_gradient():
    gradients = []
    for with_cp in (False, True):
        model = randomize(EVA02(**TINY, with_cp=with_cp)).train()
        model(random(2, 3, 40, 56))[0].square().mean().backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    assert all(gradient is not None for gradient in gradients[0].values())
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, msg=name)


def test_stochastic_depth_rises_linearly():
    model = EVA02(**TINY, drop_path_rate=0.4)
    assert [layer.drop_path.drop_prob for layer in model.layers] == pytest.approx([0, 0.2, 0.4])


def test_pyramid_by_hand():
    neck = randomize(SimpleFeaturePyramid(8, 6))

    def channel_norm(x, norm):
        return layer_norm(x.permute(0, 2, 3, 1), norm).permute(0, 3, 1, 2)

    x = random(2, 8, 6, 10)
    # stride-2 transposed convolution with a 2x2 kernel: every pixel becomes its own 2x2 patch
    patches = torch.einsum('bchw,cdij->bdhiwj', x, neck.resizes[0].weight)
    finer = patches.reshape(2, 4, 12, 20) + neck.resizes[0].bias[:, None, None]
    coarser = x.reshape(2, 8, 3, 2, 5, 2).amax((3, 5))
    levels = []
    for source, lateral, output in zip((finer, x, coarser), neck.lateral_convs, neck.output_convs):
        level = torch.einsum('bchw,dc->bdhw', source, lateral.conv.weight[:, :, 0, 0])
        level = channel_norm(level, lateral.ln)
        padded = F.pad(level, (1, 1, 1, 1))
        level = sum(torch.einsum('bchw,dc->bdhw', padded[:, :, i:i + level.shape[2], j:j + level.shape[3]],
                                 output.conv.weight[:, :, i, j]) for i in range(3) for j in range(3))
        levels.append(channel_norm(level, output.ln))
    levels.append(levels[-1][:, :, ::2, ::2])
    outputs = neck((torch.zeros(1), x))
    assert len(outputs) == 4
    for result, expected in zip(outputs, levels):
        torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match='scale_factors'):
        SimpleFeaturePyramid(8, 6, scale_factors=(4, ))

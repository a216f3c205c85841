"""mmdet's Swin transformer against a small reference written from the released model's behaviour."""
import pytest
import torch
import torch.nn.functional as F
from block_references import layer_norm, random, randomize
from mmdet.models.backbones import SwinTransformer

WINDOW = 3


def bias_table(msa, window):
    """(heads, window², window²): entry of the table for each relative offset, rows first."""
    size = window * window
    out = torch.zeros(msa.num_heads, size, size)
    for a in range(size):
        for b in range(size):
            row = a // window - b // window + window - 1
            column = a % window - b % window + window - 1
            out[:, a, b] = msa.relative_position_bias_table[row * (2 * window - 1) + column]
    return out.detach()


def msa(tokens, attn, penalty=0.):
    """Multi-head attention of the (N, C) tokens of one window."""
    q, k, v = (tokens @ attn.qkv.weight.T + attn.qkv.bias).chunk(3, 1)
    dims = tokens.shape[1] // attn.num_heads
    bias = bias_table(attn, WINDOW)
    heads = []
    for h in range(attn.num_heads):
        part = slice(h * dims, (h + 1) * dims)
        scores = q[:, part] @ k[:, part].T * dims**-0.5 + bias[h] + penalty
        heads.append(scores.softmax(1) @ v[:, part])
    return torch.cat(heads, 1) @ attn.proj.weight.T + attn.proj.bias


def region(position, size, shift):
    """Which part of the padded, shifted axis a position belongs to."""
    return 0 if position < size - WINDOW else 1 if position < size - shift else 2


def window_attention(x, attn, shift):
    """Over a map (H, W, C), zero-padded after the norm; -100 between parts that were not neighbours."""
    height, width, channels = x.shape
    tall, wide = (-(-side // WINDOW) * WINDOW for side in (height, width))
    padded = torch.zeros(tall, wide, channels)
    padded[:height, :width] = x
    out = torch.zeros_like(padded)
    for top in range(0, tall, WINDOW):
        for left in range(0, wide, WINDOW):
            places = [(y, x_) for y in range(top, top + WINDOW) for x_ in range(left, left + WINDOW)]
            source = [((y + shift) % tall, (x_ + shift) % wide) for y, x_ in places]
            tokens = torch.stack([padded[place] for place in source])
            parts = [(region(y, tall, shift), region(x_, wide, shift)) if shift else 0 for y, x_ in places]
            penalty = torch.tensor([[0. if a == b else -100. for b in parts] for a in parts])
            for place, token in zip(source, msa(tokens, attn, penalty)):
                out[place] = token
    return out[:height, :width]


def merge(x, downsample):
    """2x2 patches to one token of twice the width; channels follow mmdet's unfold order."""
    height, width, channels = x.shape
    x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
    x = x.unflatten(0, (-1, 2)).unflatten(2, (-1, 2)).permute(0, 2, 4, 1, 3).flatten(2)
    return layer_norm(x, downsample.norm, 1e-5) @ downsample.reduction.weight.T


@pytest.mark.parametrize('size', [(24, 24), (20, 28)])
def test_swin_block_by_block(size):
    """Padding, shift by half a window, exact GELU, norms of eps 1e-5, one norm per level."""
    model = randomize(SwinTransformer(embed_dims=8, depths=(2, 2), num_heads=(2, 4), strides=(4, 2), window_size=WINDOW,
                                      out_indices=(0, 1), drop_path_rate=0.3))
    image = random(1, 3, *size)
    with torch.no_grad():
        outputs = model(image)
        x = F.conv2d(image, model.patch_embed.projection.weight, model.patch_embed.projection.bias, stride=4)
        x = layer_norm(x[0].permute(1, 2, 0), model.patch_embed.norm, 1e-5)
        for index, stage in enumerate(model.stages):
            for number, block in enumerate(stage.blocks):
                shift = WINDOW // 2 if number % 2 else 0
                x = x + window_attention(layer_norm(x, block.norm1, 1e-5), block.attn.w_msa, shift)
                first, last = block.ffn.layers[0][0], block.ffn.layers[1]
                hidden = layer_norm(x, block.norm2, 1e-5) @ first.weight.T + first.bias
                x = x + hidden * (1 + torch.erf(hidden / 2**0.5)) / 2 @ last.weight.T + last.bias
            normed = layer_norm(x, getattr(model, f'norm{index}'), 1e-5)
            torch.testing.assert_close(outputs[index][0].permute(1, 2, 0), normed, atol=2e-4, rtol=1e-4)
            x = merge(x, stage.downsample) if stage.downsample is not None else x

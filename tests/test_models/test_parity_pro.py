"""EVA-02 and its pyramid at GLEE-Pro's width against a reference that reads the released checkpoint's own keys."""
import golden_recipe
import pytest
import torch
import torch.nn.functional as F

from projects.glee.models.backbones import EVA02
from projects.glee.models.necks import SimpleFeaturePyramid

BLOCKS, GLOBAL = 3, 2  # two window blocks and a global one
OURS = {'blocks.': 'layers.', 'patch_embed.proj.': 'patch_embed.projection.', 'attn.q_bias': 'attn.q_proj.bias',
        'attn.v_bias': 'attn.v_proj.bias', 'mlp.ffn_ln.': 'mlp.norm.'}


@pytest.fixture(scope='module')
def official():
    """Entries of the checkpoint below 'backbone.', values from the recipe."""
    shapes = {'net.pos_embed': (1, 197, 1024), 'net.patch_embed.proj.weight': (1024, 3, 16, 16),
              'net.patch_embed.proj.bias': (1024, ), 'simfp_3.0.weight': (1024, 512, 2, 2), 'simfp_3.0.bias': (512, )}
    linear = {'attn.q_proj.weight': (1024, 1024), 'attn.k_proj.weight': (1024, 1024),
              'attn.v_proj.weight': (1024, 1024), 'attn.proj.weight': (1024, 1024), 'mlp.w1.weight': (2730, 1024),
              'mlp.w2.weight': (2730, 1024), 'mlp.w3.weight': (1024, 2730)}
    vectors = {'attn.q_bias': 1024, 'attn.v_bias': 1024, 'attn.proj.bias': 1024, 'mlp.w1.bias': 2730,
               'mlp.w2.bias': 2730, 'mlp.w3.bias': 1024, 'norm1.weight': 1024, 'norm1.bias': 1024,
               'norm2.weight': 1024, 'norm2.bias': 1024, 'mlp.ffn_ln.weight': 2730, 'mlp.ffn_ln.bias': 2730}
    for block in range(BLOCKS):
        shapes.update({f'net.blocks.{block}.{key}': shape for key, shape in linear.items()})
        shapes.update({f'net.blocks.{block}.{key}': (size, ) for key, size in vectors.items()})
    for name, channels, kernel in (('3.1', 512, 1), ('3.2', 256, 3), ('4.0', 1024, 1), ('4.1', 256, 3),
                                   ('5.1', 1024, 1), ('5.2', 256, 3)):
        shapes[f'simfp_{name}.weight'] = (256, channels, kernel, kernel)
        shapes.update({f'simfp_{name}.norm.{key}': (256, ) for key in ('weight', 'bias')})
    return {key: torch.from_numpy(golden_recipe.weight(f'backbone.{key}', shape)) for key, shape in shapes.items()}


def load_ours(official):
    backbone = EVA02(num_layers=BLOCKS, global_blocks=(GLOBAL, )).eval()
    neck = SimpleFeaturePyramid().eval()
    state = {}
    for key, value in official.items():
        if key.startswith('net.') and '.w2.' not in key:
            if '.w1.' in key:
                value = torch.cat([value, official[key.replace('.w1.', '.w2.')]])
                key = key.replace('.w1.', '.w12.')
            for theirs, ours in OURS.items():
                key = key.replace(theirs, ours)
            state[key.removeprefix('net.')] = value
    backbone.load_state_dict(state)
    state = {f'resizes.0.{key}': official[f'simfp_3.0.{key}'] for key in ('weight', 'bias')}
    for level, names in enumerate((('3.1', '3.2'), ('4.0', '4.1'), ('5.1', '5.2'))):
        for convs, name in zip(('lateral_convs', 'output_convs'), names):
            state[f'{convs}.{level}.conv.weight'] = official[f'simfp_{name}.weight']
            state.update({f'{convs}.{level}.ln.{key}': official[f'simfp_{name}.norm.{key}']
                          for key in ('weight', 'bias')})
    neck.load_state_dict(state)
    return backbone, neck


class Reference:
    """The released model's steps on its own keys, one image smaller than a window."""

    def __init__(self, weights):
        self.weights = weights

    def linear(self, x, name, bias='.bias'):
        return F.linear(x, self.weights[name + '.weight'], self.weights[name + bias] if bias else None)

    def norm(self, x, name):
        centred = x - x.mean(-1, keepdim=True)
        scale = torch.sqrt(centred.square().mean(-1, keepdim=True) + 1e-6)
        return centred / scale * self.weights[name + '.weight'] + self.weights[name + '.bias']

    @staticmethod
    def turns(size):
        """Unit complex numbers of a size x size grid: 16 frequencies for rows, 16 for columns."""
        angles = torch.outer(torch.arange(size) / size * 16, 10000.**(-torch.arange(16) / 16))
        grid = torch.cat([angles[:, None].expand(size, size, 16), angles[None].expand(size, size, 16)], 2)
        return torch.polar(torch.ones(()).expand_as(grid), grid).flatten(0, 1)

    def attend(self, x, name, turns):
        def heads(t):
            return t.unflatten(1, (16, 64)).transpose(0, 1)

        def rotate(t):
            pairs = torch.view_as_complex(t.unflatten(2, (32, 2)).contiguous())
            return torch.view_as_real(pairs * turns[:len(x)]).flatten(2)

        q = heads(self.linear(x, name + '.q_proj', None) + self.weights[name + '.q_bias'])
        k = heads(self.linear(x, name + '.k_proj', None))
        v = heads(self.linear(x, name + '.v_proj', None) + self.weights[name + '.v_bias'])
        weights = (rotate(q) * 64**-0.5 @ rotate(k).transpose(1, 2)).softmax(2)
        return self.linear((weights @ v).transpose(0, 1).flatten(1), name + '.proj')

    def block(self, x, index):
        name = f'net.blocks.{index}'
        height, width = x.shape[:2]
        normed = self.norm(x, f'{name}.norm1')
        if index == GLOBAL:
            out = self.attend(normed.flatten(0, 1), f'{name}.attn', self.turns(96)).unflatten(0, (height, width))
        else:
            window = F.pad(normed, (0, 0, 0, 16 - width, 0, 16 - height))
            out = self.attend(window.flatten(0, 1), f'{name}.attn', self.turns(16)).unflatten(0, (16, 16))
        x = x + out[:height, :width]
        normed = self.norm(x, f'{name}.norm2')
        gate = self.linear(normed, f'{name}.mlp.w1')
        hidden = gate * gate.sigmoid() * self.linear(normed, f'{name}.mlp.w2')
        return x + self.linear(self.norm(hidden, f'{name}.mlp.ffn_ln'), f'{name}.mlp.w3')

    def conv(self, x, name):
        weight = self.weights[f'simfp_{name}.weight']
        x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        return self.norm(x.permute(0, 2, 3, 1), f'simfp_{name}.norm').permute(0, 3, 1, 2)

    def __call__(self, image):
        weights = self.weights
        x = F.conv2d(image, weights['net.patch_embed.proj.weight'], weights['net.patch_embed.proj.bias'], stride=16)
        table = weights['net.pos_embed'][:, 1:].unflatten(1, (14, 14)).permute(0, 3, 1, 2)
        x = (x + F.interpolate(table, x.shape[2:], mode='bicubic', align_corners=False))[0].permute(1, 2, 0)
        for index in range(BLOCKS):
            x = self.block(x, index)
        x = x.permute(2, 0, 1)[None]
        finer = F.conv_transpose2d(x, weights['simfp_3.0.weight'], weights['simfp_3.0.bias'], stride=2)
        levels = [self.conv(self.conv(finer, '3.1'), '3.2'), self.conv(self.conv(x, '4.0'), '4.1'),
                  self.conv(self.conv(F.max_pool2d(x, 2), '5.1'), '5.2')]
        return [*levels, F.max_pool2d(levels[-1], 1, 2)]


def test_backbone_and_pyramid_agree_with_the_released_layout(official):
    backbone, neck = load_ours(official)
    image = torch.from_numpy(golden_recipe.batch([golden_recipe.image(5, 150, 220)]))
    with torch.no_grad():
        outputs, expected = neck(backbone(image)), Reference(official)(image)
    assert [tuple(level.shape[2:]) for level in outputs] == [(20, 28), (10, 14), (5, 7), (3, 4)]
    for output, level in zip(outputs, expected):
        torch.testing.assert_close(output, level, atol=2e-5, rtol=1e-5)

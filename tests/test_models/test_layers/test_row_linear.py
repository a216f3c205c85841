"""Linear layers over many rows: the numbers of torch's and mmcv's layers, however they are computed."""
import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn.bricks.transformer import FFN
from torch import nn

from projects.glee.models.layers import row_linear as module
from projects.glee.models.layers.row_linear import FeedForward, mkl_is_slow, row_linear, row_product


@pytest.fixture(autouse=True)
def on_amd(monkeypatch):
    monkeypatch.setattr(module, 'mkl_is_slow', torch.backends.mkldnn.is_available)
    monkeypatch.setattr(module, 'MIN_WEIGHTS', 0)


@pytest.mark.parametrize('processor, slow', [('vendor_id\t: GenuineIntel', False), ('vendor_id\t: AuthenticAMD', True)])
def test_intels_processors_are_left_to_torch(processor, slow, monkeypatch, tmp_path):
    (tmp_path / 'cpuinfo').write_text(processor)
    monkeypatch.setattr(module, 'Path', lambda _: tmp_path / 'cpuinfo')
    both = torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()
    assert mkl_is_slow.__wrapped__() == (slow and both)


@pytest.mark.parametrize('shape', [(1, 513, 24), (2, 700, 24), (3, 20, 30, 24), (7, 24), (0, 24), (600, 24)])
@pytest.mark.parametrize('with_bias', [True, False])
def test_product(shape, with_bias):
    rows, weight, bias = torch.randn(shape), torch.randn(13, 24), torch.randn(13) if with_bias else None
    expected = F.linear(rows, weight, bias)
    with torch.no_grad():
        out = row_product(rows, weight, bias)
    assert out.shape == expected.shape and out.is_contiguous()
    assert torch.allclose(out, expected, atol=1e-5)


def test_rows_that_are_not_contiguous():
    layer, rows = nn.Linear(24, 13), torch.randn(2, 24, 900).transpose(1, 2)
    with torch.no_grad():
        assert torch.allclose(row_linear(rows, layer), F.linear(rows, layer.weight, layer.bias), atol=1e-5)


@pytest.mark.parametrize('shape', [(2, 1300, 64), (900, 64), (7, 64)])
@pytest.mark.parametrize('out_dims', [64, 100])
def test_gradients_are_those_of_the_layer(shape, out_dims):
    layer, rows = nn.Linear(64, out_dims), torch.randn(shape, requires_grad=True)
    weights, wanted = torch.randn(*shape[:-1], out_dims), (rows, layer.weight, layer.bias)
    out, expected = row_linear(rows, layer), layer(rows)
    assert torch.allclose(out, expected, atol=1e-5)
    grads, numbers = (torch.autograd.grad((value * weights).sum(), wanted) for value in (out, expected))
    for grad, number in zip(grads, numbers):
        assert grad.shape == number.shape and torch.allclose(grad, number, atol=1e-3, rtol=1e-4)


def test_gradients_of_gradients():
    layer, rows = nn.Linear(64, 80, bias=False), torch.randn(330, 64, requires_grad=True)
    seconds = []
    for product in (lambda: row_linear(rows, layer), lambda: layer(rows)):
        first, = torch.autograd.grad(product().pow(3).sum(), rows, create_graph=True)
        seconds.append(torch.autograd.grad(first.pow(2).sum(), layer.weight)[0])
    assert torch.allclose(*seconds, rtol=1e-4, atol=1e-3 * float(seconds[1].abs().max()))


def test_only_wanted_gradients_are_computed():
    layer, rows = nn.Linear(24, 13).requires_grad_(False), torch.randn(900, 24, requires_grad=True)
    row_linear(rows, layer).sum().backward()
    assert torch.allclose(rows.grad, layer.weight.sum(0).expand(900, -1), atol=1e-5) and layer.weight.grad is None


def test_autocast_is_left_to_torch():
    layer, rows = nn.Linear(24, 13), torch.randn(900, 24)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out, expected = row_linear(rows, layer), layer(rows)
    assert out.dtype == torch.bfloat16 and torch.equal(out, expected)
    out.sum().backward()


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch without oneDNN')
@pytest.mark.parametrize('out_dims, through_onednn', [(99, False), (100, True)])
def test_small_matrices_are_left_to_torch(out_dims, through_onednn, monkeypatch):
    monkeypatch.setattr(module, 'MIN_WEIGHTS', 6400)
    rows = torch.randn(900, 64, requires_grad=True)
    is_ours = 'RowProduct' in row_linear(rows, nn.Linear(64, out_dims)).grad_fn.name()
    assert is_ours == through_onednn


@pytest.mark.parametrize('chunk', [1000, 2048])
def test_feed_forward_is_that_of_mmcv(monkeypatch, chunk):
    monkeypatch.setattr(module, 'CHUNK_ROWS', chunk)
    theirs, ours = FFN(24, 50, ffn_drop=0.1).eval(), FeedForward(24, 50, dropout=0.1).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 1300, 24)
    expected = theirs(x)
    assert torch.allclose(ours(x), expected, atol=1e-5)
    with torch.no_grad():
        assert torch.allclose(ours(x), expected, atol=1e-5)
        assert not torch.equal(ours.train()(x), ours(x))  # dropout, also without gradients


def test_export_sees_plain_layers():
    module = FeedForward(24, 50).eval()
    with torch.no_grad():
        exported = torch.export.export(module, (torch.randn(1, 600, 24), ), strict=False)
    assert not any('conv' in str(node.target) for node in exported.graph.nodes)

"""Deformable attention: every way of sampling gives mmcv's numbers and true gradients, and can be exported."""
import sys

import mmcv.ops.multi_scale_deform_attn as mmcv_attention
import pytest
import torch
from mmcv.ops import MultiScaleDeformableAttention

from projects.glee.models.layers import deformable_kernels, deformable_sampling
from projects.glee.models.layers.deformable_attention import DeformableAttention
from projects.glee.models.layers.deformable_sampling import cpu_kernels, sample_levels

WAYS = ('kernel', 'embedding_bag', 'gather')


def draw(seed, dtype=torch.float32, largest=9):
    """Random sizes and tensors; a third of the places lie outside the maps."""
    generator = torch.Generator().manual_seed(seed)

    def number(high):
        return int(torch.randint(1, high + 1, (), generator=generator))

    batch, queries, heads, points = number(3), number(7), number(4), number(4)
    sizes = [(number(largest), number(largest)) for _ in range(number(4))]
    cells, levels = sum(h * w for h, w in sizes), len(sizes)
    value = torch.randn(batch, cells, heads, number(9), generator=generator)
    places = torch.rand(batch, queries, heads, levels, points, 2, generator=generator) * 1.5 - 0.25
    weights = torch.randn(batch, queries, heads, levels * points, generator=generator).softmax(-1)
    tensors = value, places, weights.unflatten(-1, (levels, points))
    return sizes, [tensor.to(dtype).requires_grad_() for tensor in tensors]


def sample(tensors, sizes, way):
    """Output and the gradients of one pass."""
    value, places, weights = tensors
    out = sample_levels(value, sizes, places, weights, way)
    gradient = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    return [out.detach(), *torch.autograd.grad(out, tensors, gradient)]


def test_200_random_shapes_give_the_numbers_of_mmcv():
    for seed in range(200):
        sizes, tensors = draw(seed)
        expected = sample(tensors, sizes, 'grid_sample')
        for way in WAYS:
            for got, number in zip(sample(tensors, sizes, way), expected):
                assert torch.allclose(got, number, rtol=1e-4, atol=2e-5), f'{way}, seed {seed}, sizes {sizes}'


@pytest.mark.parametrize('way', WAYS)
def test_gradients_in_double_precision(way):
    for seed in range(6):
        sizes, tensors = draw(seed, torch.float64, largest=4)
        assert torch.autograd.gradcheck(lambda *inputs: sample_levels(inputs[0], sizes, *inputs[1:], way), tensors,
                                        fast_mode=True)


@pytest.mark.parametrize('way', [*WAYS, 'grid_sample'])
def test_half_precision_is_computed_in_single(way):
    sizes, tensors = draw(1, torch.bfloat16)
    expected = sample_levels(tensors[0].float(), sizes, *[tensor.float() for tensor in tensors[1:]], way)
    out = sample_levels(tensors[0], sizes, tensors[1].float(), tensors[2], way)
    assert out.dtype == torch.bfloat16 and torch.equal(out, expected.bfloat16())


def test_threads_give_the_same_bits(monkeypatch):
    sizes, tensors = draw(2)
    alone = sample(tensors, sizes, 'kernel')
    monkeypatch.setattr(deformable_kernels, 'SAMPLES_PER_THREAD', 1)
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 3)
    assert all(map(torch.equal, alone, sample(tensors, sizes, 'kernel')))


def test_without_queries():
    out = sample_levels(torch.rand(1, 4, 2, 3), [(2, 2)], torch.rand(1, 0, 2, 1, 1, 2), torch.rand(1, 0, 2, 1, 1))
    assert out.shape == (1, 0, 6)


@pytest.mark.parametrize('way', ('auto', *WAYS, 'grid_sample'))
@pytest.mark.parametrize('coordinates', [2, 4])
def test_module_gives_the_numbers_of_mmcv(way, coordinates):
    theirs = MultiScaleDeformableAttention(32, 4, 2, 3, dropout=0., batch_first=True).eval()
    torch.nn.init.normal_(theirs.sampling_offsets.weight, std=0.3)
    torch.nn.init.normal_(theirs.attention_weights.weight)
    ours = DeformableAttention(32, 4, 2, 3, way=way).eval()
    ours.load_state_dict(theirs.state_dict())
    sizes, query, position, value = [(7, 5), (3, 4)], *torch.randn(2, 2, 6, 32), torch.randn(2, 47, 32)
    places = torch.rand(2, 6, 2, coordinates)
    expected = theirs(query, value=value, query_pos=position, reference_points=places,
                      spatial_shapes=torch.tensor(sizes), level_start_index=torch.tensor([0, 35]))
    assert torch.allclose(ours(query, value, position, places, sizes), expected, atol=1e-5)


def test_wrong_sizes_and_way():
    sizes, tensors = draw(3)
    with pytest.raises(ValueError, match='positions, but levels of'):
        sample_levels(tensors[0], [*sizes, (1, 1)], *tensors[1:])
    with pytest.raises(ValueError, match="way='fast' is unknown; choose one of"):
        sample_levels(tensors[0], sizes, *tensors[1:], 'fast')


def test_operator_keeps_the_rules_of_torch_library():
    sizes, tensors = draw(4)
    flat = [side for size in sizes for side in size]
    torch.library.opcheck(torch.ops.glee.deformable_attention.default, (tensors[0], flat, *tensors[1:]),
                          test_utils=('test_schema', 'test_autograd_registration', 'test_faketensor'))


@pytest.mark.parametrize('strict', [True, False])
def test_export(strict):
    module = DeformableAttention(32, 4, 2, 3).eval()
    inputs = torch.randn(1, 6, 32), torch.randn(1, 47, 32), None, torch.rand(1, 6, 2, 4), [(7, 5), (3, 4)]
    exported = torch.export.export(module, inputs, strict=strict)
    assert torch.equal(exported.module()(*inputs), module(*inputs))
    assert sum(node.target is torch.ops.glee.deformable_attention.default for node in exported.graph.nodes) == 1


def test_compiles_as_one_graph():
    module = DeformableAttention(32, 4, 2, 3)
    query, value = torch.randn(1, 6, 32, requires_grad=True), torch.randn(1, 47, 32)
    inputs = query, value, None, torch.rand(1, 6, 2, 2), [(7, 5), (3, 4)]
    expected, = torch.autograd.grad(module(*inputs).sum(), query)
    compiled = torch.compile(module, backend='aot_eager', fullgraph=True)
    assert torch.allclose(torch.autograd.grad(compiled(*inputs).sum(), query)[0], expected, atol=1e-6)


def test_without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, deformable_kernels.__name__, None)
    monkeypatch.delattr('projects.glee.models.layers.deformable_kernels')
    cpu_kernels.cache_clear()
    sizes, tensors = draw(5)
    try:
        with pytest.warns(UserWarning, match='several times slower on a CPU without numba'):
            out = sample_levels(tensors[0], sizes, *tensors[1:])
        assert torch.equal(out, sample_levels(tensors[0], sizes, *tensors[1:], 'grid_sample'))
        monkeypatch.setattr(deformable_sampling, 'MIN_BAG_POSITIONS', 1)
        out = sample_levels(tensors[0], sizes, *tensors[1:])
        assert torch.equal(out, sample_levels(tensors[0], sizes, *tensors[1:], 'embedding_bag'))
    finally:
        cpu_kernels.cache_clear()


def test_without_a_folder_for_the_cache(monkeypatch):
    njit, asked = deformable_kernels.numba.njit, []

    def refuse(cache=False, **options):
        asked.append(cache)
        if cache:
            raise RuntimeError('cannot cache function: no locator available')
        return njit(**options)

    monkeypatch.setattr(deformable_kernels.numba, 'njit', refuse)
    assert deformable_kernels._compiled('nsz')(lambda x: 2 * x).py_func(3) == 6
    assert asked == [True, False]


class Recorder:
    """Stands for mmcv's compiled operators, which exist for a GPU only."""

    def __init__(self):
        self.calls = []

    def ms_deform_attn_forward(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        return args[0].new_zeros(args[0].shape[0], args[3].shape[1], args[0].shape[2] * args[0].shape[3])

    def ms_deform_attn_backward(self, *args, **kwargs):
        self.calls.append((args, kwargs))


def test_operators_of_a_gpu_are_called_as_mmcv_calls_them(monkeypatch):
    sizes, tensors = draw(6)
    value, places, weights = tensors
    flat = [side for size in sizes for side in size]
    theirs, ours = Recorder(), Recorder()
    monkeypatch.setattr(mmcv_attention, 'ext_module', theirs)
    monkeypatch.setattr(deformable_sampling, 'mmcv_kernels', ours)
    shapes = torch.tensor(sizes)
    starts = torch.tensor([sum(h * w for h, w in sizes[:level]) for level in range(len(sizes))])
    out = mmcv_attention.MultiScaleDeformableAttnFunction.apply(value, shapes, starts, places, weights, 64)
    out.backward(torch.ones_like(out))
    deformable_sampling._mmcv_forward(value, flat, places, weights)
    deformable_sampling._mmcv_backward(torch.ones_like(out), value, flat, places, weights)
    for (their_args, their_options), (our_args, our_options) in zip(theirs.calls, ours.calls, strict=True):
        assert their_options == our_options
        assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(their_args, our_args, strict=True))


def test_what_is_kept_for_a_gpu_serves_training_too():
    deformable_sampling._on_device.cache_clear()
    with torch.inference_mode():
        assert not any(tensor.is_inference() for tensor in deformable_sampling._on_device((2, 3), torch.device('cpu')))

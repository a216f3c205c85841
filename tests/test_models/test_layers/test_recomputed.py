"""Recomputed layers: the same output and gradients, and each layer runs twice."""
import pytest
import torch

from projects.glee.models.language_models import CLIPTextEncoder
from projects.glee.models.layers import EarlyFusion, MaskDINODecoder, MaskDINOPixelDecoder


def pixel_decoder():
    torch.manual_seed(0)
    module = MaskDINOPixelDecoder((8, 8, 8, 8), 16, 2, 2, 2, 32, norm_groups=4, early_fusion=None)
    feats = [torch.randn(2, 8, side, side, requires_grad=True) for side in (16, 8, 4, 2)]
    return module, module.layers, feats, lambda: module(feats).mask_features


def decoder():
    torch.manual_seed(0)
    module = MaskDINODecoder(2, 16, 2, 2, 2, 32, dropout=0.1)
    query, memory = torch.randn(2, 5, 16, requires_grad=True), torch.randn(2, 20, 16, requires_grad=True)
    head = torch.nn.Linear(16, 4)
    return module, module.layers, [query, memory], lambda: module(
        query, torch.full((2, 5, 4), 0.4), memory, [(2, 2), (4, 4)], head).hidden[-1]


@pytest.mark.parametrize('make', [pixel_decoder, decoder])
def test_recomputing_changes_no_number(make):
    module, layers, leaves, run = make()
    leaves = [*leaves, *layers.parameters()]
    module.init_weights()
    calls = []
    for layer in layers:
        layer.register_forward_pre_hook(lambda *_: calls.append(1))
    found = []
    for module.with_cp in (False, True):
        torch.manual_seed(1)  # of dropout
        calls.clear()
        out = run()
        gradients = torch.autograd.grad(out.square().sum(), leaves, allow_unused=True)
        found.append((out, *(gradient for gradient in gradients if gradient is not None)))
        assert len(calls) == len(layers) * (1 + module.with_cp)
    assert len(found[0]) == len(found[1]) > len(layers)
    for plain, recomputed in zip(*found):
        assert torch.allclose(plain, recomputed, atol=1e-6)
    with torch.no_grad():
        calls.clear()
        run()
        assert len(calls) == len(layers)


def fusion():
    torch.manual_seed(0)
    module = EarlyFusion(32, 64, 2, dropout=0.2)
    visual, tokens = torch.randn(2, 90, 32, requires_grad=True), torch.randn(2, 7, 32, requires_grad=True)
    return module, module, '_attend', [visual, tokens], lambda: module(visual, tokens)[0]


def text_encoder():
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match='random weights'):
        module = CLIPTextEncoder('unfrozen', 16, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                                 intermediate_size=64)
        module.init_weights()
    return module, module.text_model, 'forward', [], lambda: module(['a red star', 'ring'], pad_to_max=True).pooled


@pytest.mark.parametrize('make', [fusion, text_encoder])
def test_recomputed_parts_keep_their_numbers(make, monkeypatch):
    """Dropout included; and the part runs twice, in the layers that are fast in training too."""
    module, part, method, leaves, run = make()
    calls, original = [], getattr(part, method)
    monkeypatch.setattr(part, method, lambda *args, **kwargs: calls.append(1) or original(*args, **kwargs))
    found = []
    for module.with_cp in (False, True):
        torch.manual_seed(1)
        calls.clear()
        out = run()
        gradients = torch.autograd.grad(out.square().sum(), [*leaves, *module.parameters()], allow_unused=True)
        found.append((out, *(gradient for gradient in gradients if gradient is not None)))
        assert len(calls) == 1 + module.with_cp
    assert len(found[0]) == len(found[1]) > 5
    for plain, recomputed in zip(*found):
        assert torch.equal(plain, recomputed)

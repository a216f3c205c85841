"""Early fusion in inference: equal tokens once and folded projections give the numbers of the plain attention."""
import pytest
import torch

from projects.glee.models.layers import early_fusion
from projects.glee.models.layers.early_fusion import EarlyFusion

GROUPS = torch.tensor([0, 1, 2, 0, 1, 3, 0, 0, 4])


@pytest.fixture
def fusion():
    module = EarlyFusion(embed_dims=16, hidden_dims=64, num_heads=4).eval()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module


@pytest.fixture
def inputs():
    """Pixels of two images, and a vocabulary of 9 tokens of which 5 differ."""
    return torch.randn(2, 700, 16), torch.randn(2, 5, 16)[:, GROUPS]


def plain(fusion, visual, tokens):
    with torch.enable_grad():
        return fusion(visual, tokens)[0].detach()


@pytest.mark.parametrize('max_scores', [1, 2000, 2**21])
@torch.no_grad()
def test_folded_is_plain(fusion, inputs, monkeypatch, max_scores):
    monkeypatch.setattr(early_fusion, 'MAX_SCORES', max_scores)
    visual, tokens = inputs
    visual = visual[:, :20] if max_scores == 1 else visual
    expected = plain(fusion, visual, tokens)
    for groups in (None, GROUPS, GROUPS[:4]):
        out, text = fusion(visual, tokens, groups=groups)
        assert text is None and torch.allclose(out, expected, atol=2e-5)


@pytest.mark.parametrize('length', [9, 4])
def test_gradients_of_groups_are_those_of_their_tokens(inputs, length, monkeypatch):
    """Also where other tokens, as those of a visual prompt, follow; the 5 or 3 + 5 that differ are read alone."""
    fusion, read = EarlyFusion(embed_dims=16, hidden_dims=64, num_heads=4, dropout=0.).train(), []
    for parameter in fusion.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    attend = fusion._attend
    monkeypatch.setattr(fusion, '_attend', lambda *args: (read.append(args[1].shape[1]), attend(*args))[1])
    visual, words = inputs[0], torch.randn(2, 5, 16, requires_grad=True)
    found = []
    for groups in (None, GROUPS[:length]):
        out, _ = fusion(visual, words[:, GROUPS], groups=groups)
        wanted = [words, fusion.text_proj.weight, fusion.text_value_proj.weight, fusion.visual_proj.bias]
        found.append([out, *torch.autograd.grad((out * visual).sum(), wanted)])
    assert read == [9, {9: 5, 4: 8}[length]]
    for number, expected in zip(found[1], found[0]):
        assert torch.allclose(number, expected, rtol=1e-4, atol=1e-4 * float(expected.detach().abs().max()))


@torch.no_grad()
def test_equal_tokens_are_read_once(fusion, inputs):
    folded = fusion._fold(inputs[1][0], GROUPS)
    assert folded.keys.shape == (4, 5, 16) and folded.values.shape == (4, 16, 5)
    assert fusion._fold(inputs[1][0], GROUPS[:4]).keys.shape == (4, 3 + 5, 16)


@torch.no_grad()
def test_what_is_kept_of_a_vocabulary_follows_the_weights(fusion, inputs):
    visual, tokens = inputs
    shared = tokens[:1].expand(2, -1, -1)
    fusion(visual, shared, groups=GROUPS)
    assert len(fusion._vocabularies.entries) == 1  # one for both images
    fusion(visual, tokens, groups=GROUPS)
    assert len(fusion._vocabularies.entries) == 2
    fusion(visual, torch.cat([shared, tokens], 1), groups=GROUPS)  # a visual prompt: not a vocabulary
    assert len(fusion._vocabularies.entries) == 2
    fusion.visual_proj.weight.mul_(-1)
    assert torch.allclose(fusion(visual, shared, groups=GROUPS)[0], plain(fusion, visual, shared), atol=2e-5)
    fusion.visual_proj.weight.data.mul_(-1)  # as mmengine's EMAHook swaps weights
    fusion.eval()
    assert torch.allclose(fusion(visual, shared, groups=GROUPS)[0], plain(fusion, visual, shared), atol=2e-5)
    tokens.mul_(0.5)
    assert torch.allclose(fusion(visual, shared, groups=GROUPS)[0], plain(fusion, visual, shared), atol=2e-5)


def test_what_is_kept_in_inference_mode_serves_no_training(fusion, inputs):
    visual, tokens = inputs
    with torch.inference_mode():
        fusion(visual, tokens, groups=GROUPS)
    out, _ = fusion(visual, tokens, groups=GROUPS)
    out.sum().backward()
    assert fusion.text_proj.weight.grad.isfinite().all()


@torch.no_grad()
def test_other_ways_stay_plain(fusion, inputs, monkeypatch):
    """Training (dropout draws per token), fused text, and sizes at which wider keys cost more than they save."""
    visual, tokens = inputs
    monkeypatch.setattr(EarlyFusion, '_fold', None)
    with pytest.raises(TypeError):
        fusion(visual, tokens)
    assert fusion(visual, tokens, with_text=True)[1].shape == tokens.shape
    fusion.train()(visual, tokens)
    EarlyFusion(embed_dims=16, hidden_dims=32, num_heads=4).eval()(visual, tokens.repeat(1, 4, 1))

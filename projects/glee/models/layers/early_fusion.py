"""Bi-directional attention between image features and prompt tokens (GLEE section 3.2, DESIGN section 5)."""
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule, xavier_init
from torch import Tensor, nn

from ..language_models.text_cache import TextCache, weights_stamp
from .recomputed import run_layer
from .row_linear import CHUNK_ROWS, on_cpu_in_inference, row_linear, row_product

# attention scores of some pixels with all tokens that exist at a time
MAX_SCORES = 2**21
CACHE_BYTES = 2**27


class FoldedTokens(NamedTuple):
    """Tokens with the projections of the visual side multiplied in, per head: the attention reads pixels and writes
    what is added to them, both D wide.

    ``keys``: (heads, T, D). ``bias``: (heads, T), added to the scores. ``values``: (heads, D, T).
    """
    keys: Tensor
    bias: Tensor
    values: Tensor


@MODELS.register_module()
class EarlyFusion(BaseModule):
    """Lets pixels read the prompt before the encoder.

    Both sides are layer-normed first and the residual is the *normalised* tensor:
    ``v <- LN(v) + gamma_v * attention(v, tokens)``. No token is masked, padding included: released
    checkpoints depend on it. One score matrix serves both directions; here each direction is a
    fused attention call, so that a pixel x token matrix never exists. Only the visual side feeds
    the released models; the text side is computed on request (``with_text``).

    On a CPU equal tokens are read once, the logarithm of their number added to their score, but not in training with
    ``dropout``, which they pass one by one. In inference the projections of the visual side are multiplied into the
    tokens. Both are exact, and the latter is kept with a vocabulary.

    Args:
        embed_dims (int): channels of both sides.
        hidden_dims (int): width of the attention, all heads together.
        num_heads (int): attention heads.
        dropout (float): dropout on the attention probabilities.
        init_scale (float): initial value of both residual scales.
        with_cp (bool): in training, recompute the attention in the backward pass to save memory.
    """

    def __init__(self,
                 embed_dims: int = 256,
                 hidden_dims: int = 2048,
                 num_heads: int = 8,
                 dropout: float = 0.1,
                 init_scale: float = 1 / 6,
                 with_cp: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.num_heads = num_heads
        self.dropout = dropout
        self.with_cp = with_cp
        self.norm_visual = nn.LayerNorm(embed_dims)
        self.norm_text = nn.LayerNorm(embed_dims)
        self.visual_proj = nn.Linear(embed_dims, hidden_dims)
        self.text_proj = nn.Linear(embed_dims, hidden_dims)
        self.visual_value_proj = nn.Linear(embed_dims, hidden_dims)
        self.text_value_proj = nn.Linear(embed_dims, hidden_dims)
        self.visual_out_proj = nn.Linear(hidden_dims, embed_dims)
        self.text_out_proj = nn.Linear(hidden_dims, embed_dims)
        self.gamma_visual = nn.Parameter(torch.full((embed_dims, ), init_scale))
        self.gamma_text = nn.Parameter(torch.full((embed_dims, ), init_scale))
        self._vocabularies = TextCache(CACHE_BYTES)

    def train(self, mode: bool = True) -> 'EarlyFusion':
        """As in torch; what is kept of vocabularies is dropped."""
        self._vocabularies.clear()  # weight swaps through ``.data`` leave no other trace
        return super().train(mode)

    def _apply(self, *args, **kwargs) -> 'EarlyFusion':
        """As in torch (``.to``, ``.half``, ...); what is kept of vocabularies does not stay behind."""
        self._vocabularies.clear()
        return super()._apply(*args, **kwargs)

    def init_weights(self) -> None:
        """Xavier-uniform matrices, zero biases."""
        super().init_weights()
        for module in self.children():
            if isinstance(module, nn.Linear):
                xavier_init(module, distribution='uniform')

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
        """Multi-head attention of projected (B, N, hidden) tensors; ``bias`` (keys,) is added to the scores."""
        query, key, value = (t.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
                             for t in (query, key, value))
        out = F.scaled_dot_product_attention(
            query, key, value, None if bias is None else bias[None, None, None],
            dropout_p=self.dropout if self.training else 0.)
        return out.transpose(1, 2).flatten(2)

    def forward(self, visual: Tensor, tokens: Tensor, with_text: bool = False,
                groups: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Fuse.

        Args:
            visual (Tensor): flattened image features (B, N, D), or (1, N, D) of an image that all prompts read.
            tokens (Tensor): prompt tokens (B, T, D).
            with_text (bool): also return the updated tokens.
            groups (Tensor | None): numbers (G,) Long, G <= T, from 0 without gaps: of the first G tokens those with
                the same number are equal, in every image.

        Returns:
            tuple: fused features (B, N, D) and the fused tokens (B, T, D) or None.
        """
        visual = self.norm_visual(visual)
        if not with_text and not self.training and on_cpu_in_inference(visual) and self._folding_pays(tokens.shape[1]):
            fused = visual.new_empty(len(tokens), *visual.shape[1:])
            for pixels, words, out in zip(visual.expand_as(fused), tokens, fused):
                self._read(pixels, self._fold_cached(words, groups), out)
            return fused, None
        bias = None
        if groups is not None and not with_text and self._groups_pay(tokens):
            first, counts = _distinct(groups, tokens.shape[1])
            tokens, bias = tokens[:, first], counts.log()
        return run_layer(self._fuse, self.with_cp and self.training, visual, self.norm_text(tokens), with_text, bias)

    def _groups_pay(self, tokens: Tensor) -> bool:
        """In training on a CPU: on a GPU a bias keeps fast kernels away, and a graph would hold groups as constants."""
        return (self.training and not self.dropout and tokens.device.type == 'cpu' and torch.is_grad_enabled()
                and not torch.compiler.is_compiling())

    def _fuse(self, visual: Tensor, tokens: Tensor, with_text: bool,
              bias: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """:meth:`forward` of normed features and tokens, by plain attention; ``bias`` (T,) is added to the scores."""
        pixels = row_linear(visual, self.visual_proj).expand(tokens.shape[0], -1, -1)
        words, values = row_linear(tokens, self.text_proj), row_linear(tokens, self.text_value_proj)
        read = row_linear(self._attend(pixels, words, values, bias), self.visual_out_proj)
        fused_visual = visual + self.gamma_visual * read
        if not with_text:
            return fused_visual, None
        values = row_linear(visual, self.visual_value_proj).expand(tokens.shape[0], -1, -1)
        read = row_linear(self._attend(words, pixels, values), self.text_out_proj)
        return fused_visual, tokens + self.gamma_text * read

    def _folding_pays(self, num_tokens: int) -> bool:
        """Whether wider keys and values cost less per pixel than the projections of the pixel."""
        hidden_dims, embed_dims = self.visual_proj.weight.shape
        return self.num_heads * embed_dims * num_tokens <= hidden_dims * (num_tokens + embed_dims)

    def _fold_cached(self, tokens: Tensor, groups: Tensor | None) -> FoldedTokens:
        """:meth:`_fold`; that of a vocabulary, all of whose tokens are in groups, is kept."""
        if groups is None or len(groups) != len(tokens):
            return self._fold(tokens, groups)
        self._vocabularies.refresh(weights_stamp(self.parameters()))
        key = (tokens.data_ptr(), tokens.shape, tokens.stride(), None if tokens.is_inference() else tokens._version)
        if key not in self._vocabularies.entries:
            # the tokens are kept too, so that no others can come to lie where they are
            self._vocabularies.put(key, (*self._fold(tokens, groups), tokens))
        return FoldedTokens(*self._vocabularies.get(key)[:3])

    def _fold(self, tokens: Tensor, groups: Tensor | None) -> FoldedTokens:
        """Tokens (T, D), those of a group once."""
        counts = None
        if groups is not None:
            first, counts = _distinct(groups, len(tokens))
            tokens = tokens[first]
        tokens = self.norm_text(tokens)
        keys, values = (proj(tokens).unflatten(-1, (self.num_heads, -1)).transpose(0, 1)
                        for proj in (self.text_proj, self.text_value_proj))
        keys = keys * keys.shape[-1]**-0.5
        bias = torch.einsum('htc,hc->ht', keys, self.visual_proj.bias.unflatten(0, (self.num_heads, -1)))
        if counts is not None:
            bias += counts.log()
        keys = keys @ self.visual_proj.weight.unflatten(0, (self.num_heads, -1))
        out_proj = self.visual_out_proj.weight.unflatten(1, (self.num_heads, -1)).transpose(0, 1)
        return FoldedTokens(keys, bias, out_proj @ values.transpose(1, 2))

    def _read(self, pixels: Tensor, words: FoldedTokens, out: Tensor) -> None:
        """Write the fused features of normed pixels (N, D) of one image to ``out``."""
        rows = min(max(MAX_SCORES // words.keys.shape[1], 1), CHUNK_ROWS)
        for part, target in zip(pixels.split(rows), out.split(rows)):
            read = self.visual_out_proj.bias.repeat(len(part), 1)
            for keys, bias, values in zip(*words):
                read += row_product(row_product(part, keys, bias).softmax(-1), values)
            torch.addcmul(part, self.gamma_visual, read, out=target)

    def idle_parameters(self) -> list[nn.Parameter]:
        """Parameters of the text side, which a forward without ``with_text`` leaves out of the graph."""
        return [
            *self.visual_value_proj.parameters(), *self.text_out_proj.parameters(), self.gamma_text
        ]


def _distinct(groups: Tensor, num_tokens: int) -> tuple[Tensor, Tensor]:
    """A token of each group and how many it has, both (D,) Long; tokens behind ``groups`` are groups of their own."""
    own = torch.arange(len(groups), num_tokens, device=groups.device)
    groups = torch.cat([groups, own + (groups.max() + 1 - len(groups))])
    counts = groups.bincount()
    return torch.empty_like(counts).scatter_(0, groups, torch.arange(num_tokens, device=groups.device)), counts

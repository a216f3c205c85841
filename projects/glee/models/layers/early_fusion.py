"""Bi-directional attention between image features and prompt tokens (GLEE section 3.2, DESIGN section 5)."""
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule, xavier_init
from torch import Tensor, nn


@MODELS.register_module()
class EarlyFusion(BaseModule):
    """Lets pixels read the prompt before the encoder.

    Both sides are layer-normed first and the residual is the *normalised* tensor:
    ``v <- LN(v) + gamma_v * attention(v, tokens)``. No token is masked, padding included: released
    checkpoints depend on it. One score matrix serves both directions; here each direction is a
    fused attention call, so that a pixel x token matrix never exists. Only the visual side feeds
    the released models; the text side is computed on request (``with_text``).

    Args:
        embed_dims (int): channels of both sides.
        hidden_dims (int): width of the attention, all heads together.
        num_heads (int): attention heads.
        dropout (float): dropout on the attention probabilities.
        init_scale (float): initial value of both residual scales.
    """

    def __init__(self,
                 embed_dims: int = 256,
                 hidden_dims: int = 2048,
                 num_heads: int = 8,
                 dropout: float = 0.1,
                 init_scale: float = 1 / 6,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.num_heads = num_heads
        self.dropout = dropout
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

    def init_weights(self) -> None:
        """Xavier-uniform matrices, zero biases."""
        super().init_weights()
        for module in self.children():
            if isinstance(module, nn.Linear):
                xavier_init(module, distribution='uniform')

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Multi-head attention of projected (B, N, hidden) tensors."""
        query, key, value = (t.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
                             for t in (query, key, value))
        out = F.scaled_dot_product_attention(
            query, key, value, dropout_p=self.dropout if self.training else 0.)
        return out.transpose(1, 2).flatten(2)

    def forward(self, visual: Tensor, tokens: Tensor,
                with_text: bool = False) -> tuple[Tensor, Tensor | None]:
        """Fuse.

        Args:
            visual (Tensor): flattened image features (B, N, D).
            tokens (Tensor): prompt tokens (B, T, D).
            with_text (bool): also return the updated tokens.

        Returns:
            tuple: fused features (B, N, D) and the fused tokens (B, T, D) or None.
        """
        visual, tokens = self.norm_visual(visual), self.norm_text(tokens)
        pixels, words = self.visual_proj(visual), self.text_proj(tokens)
        read = self._attend(pixels, words, self.text_value_proj(tokens))
        fused_visual = visual + self.gamma_visual * self.visual_out_proj(read)
        if not with_text:
            return fused_visual, None
        read = self._attend(words, pixels, self.visual_value_proj(visual))
        return fused_visual, tokens + self.gamma_text * self.text_out_proj(read)

    def idle_parameters(self) -> list[nn.Parameter]:
        """Parameters of the text side, which a forward without ``with_text`` leaves out of the graph."""
        return [
            *self.visual_value_proj.parameters(), *self.text_out_proj.parameters(), self.gamma_text
        ]

"""What an object does, from its boxes over time, compared with what a sentence says."""
import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

_LEAST_SIDE = 0.01  # of the image; logarithms of smaller sides would only be noise


@MODELS.register_module()
class TrajectoryHead(BaseModule):
    """Scores sentences about motion ("the star that moves left") for every object of a video.

    A detector of single frames cannot tell which of two stars moves left. This head sees no picture: it reads
    where each object was, how large, and whether it was visible, and the words of the sentence as the text
    encoder's transformer gets them (one trained on stills mixes words that it does not know into the noun). A
    transformer runs over the time of each object, another over the objects of the video ("the fastest"), a
    third over the words; a score is the product of the two results. GLEE has no such part (ours); a detector
    without it keeps its weights.

    Args:
        text_dims (int): width of the token embeddings.
        embed_dims (int): width D inside.
        num_steps (int): a video of any length is read at so many moments, evenly spaced.
        num_layers (int): layers over time.
        num_heads, feedforward_channels, dropout: of every layer.
        word_dropout (float): share of the words hidden in training, so that sentences are not learned by heart.
    """

    def __init__(self, text_dims: int = 512, embed_dims: int = 64, num_steps: int = 16, num_layers: int = 2,
                 num_heads: int = 4, feedforward_channels: int = 128, dropout: float = 0.1, word_dropout: float = 0.3,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)

        def layer() -> nn.Module:
            return nn.TransformerEncoderLayer(embed_dims, num_heads, feedforward_channels, dropout, batch_first=True)

        self.num_steps = num_steps
        self.word_dropout = word_dropout
        self.step_embed = nn.Parameter(torch.randn(num_steps, embed_dims) * 0.1)
        self.box_proj = nn.Sequential(nn.Linear(9, embed_dims), nn.ReLU(), nn.Linear(embed_dims, embed_dims))
        self.time_layers = nn.ModuleList(layer() for _ in range(num_layers))
        self.object_layer = layer()
        self.object_proj = nn.Linear(embed_dims, embed_dims)
        self.text_proj = nn.Sequential(nn.LayerNorm(text_dims), nn.Linear(text_dims, embed_dims))
        self.text_layer = layer()

    def forward(self, trajectories: Tensor, tokens: Tensor, token_mask: Tensor) -> Tensor:
        """Logits (K, N) of K sentences for N objects.

        Args:
            trajectories (Tensor): (N, T, 5), per frame cx, cy, w, h relative to the image and whether the
                object is visible (1) or not (0; its box does not matter).
            tokens (Tensor): (K, L, text_dims) token embeddings of the sentences.
            token_mask (Tensor): bool (K, L), the valid ones.
        """
        objects = self.object_proj(self._encode_objects(trajectories))
        return self._encode_text(tokens, token_mask) @ objects.T * objects.shape[1]**-0.5

    def loss(self, trajectories: Tensor, tokens: Tensor, token_mask: Tensor, referred: Tensor) -> Tensor:
        """Cross entropy over the objects, the mean over sentences that refer to any.

        Args:
            referred (Tensor): bool (K, N), the objects that each sentence means; several share the target.
        """
        logits = self(trajectories, tokens, token_mask)
        counts = referred.sum(1)
        losses = -(logits.log_softmax(1) * referred).sum(1) / counts.clamp(min=1)
        return losses.sum() / (counts > 0).sum().clamp(min=1)

    def _encode_objects(self, trajectories: Tensor) -> Tensor:
        """(N, T, 5) to (N, D)."""
        length = trajectories.shape[1]
        steps = torch.linspace(0, length - 1, self.num_steps, device=trajectories.device).round().long()
        states = self.box_proj(describe_boxes(trajectories[:, steps]).type_as(self.step_embed)) + self.step_embed
        for layer in self.time_layers:
            states = layer(states)
        return self.object_layer(states.mean(1)[None])[0]

    def _encode_text(self, tokens: Tensor, token_mask: Tensor) -> Tensor:
        """(K, L, text_dims) to (K, D)."""
        if self.training and self.word_dropout:
            kept = token_mask & (torch.rand(token_mask.shape, device=token_mask.device) >= self.word_dropout)
            token_mask = torch.where(kept.any(1, keepdim=True), kept, token_mask)
        states = self.text_layer(self.text_proj(tokens), src_key_padding_mask=~token_mask)
        weight = token_mask[..., None].to(states.dtype)
        return (states * weight).sum(1) / weight.sum(1)


def describe_boxes(trajectories: Tensor) -> Tensor:
    """What is read of each moment: (N, T, 5) to (N, T, 9), zero while the object is not visible.

    Visibility; cx, cy, w, h; the way from where the object was first seen; the logarithms of the ratios of
    its sides to what they were then.
    """
    boxes, visible = trajectories[..., :4], trajectories[..., 4:]
    first = visible[..., 0].argmax(1)
    start = boxes[torch.arange(len(boxes), device=boxes.device), first][:, None]
    way = 4 * (boxes[..., :2] - start[..., :2])
    growth = 2 * (boxes[..., 2:].clamp(min=_LEAST_SIDE) / start[..., 2:].clamp(min=_LEAST_SIDE)).log()
    return torch.cat([torch.ones_like(visible), boxes, way, growth], -1) * visible

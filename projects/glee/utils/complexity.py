"""Parameters and floating-point operations of a detector, by part, without computing the image part.

mmengine's ``get_model_complexity_info`` traces a real run, which takes minutes and tens of gigabytes at these
image sizes; torch's counter also works on tensors without data.
"""
from collections import Counter
from math import prod
from typing import NamedTuple, Sequence

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from ..models.language_models.text_prompt import TextPrompt

STRIDES = (8, 16, 32, 64)  # of the four levels of the pixel decoder
# by the start of the parameter's name in the detector or its head; anything else belongs to the object decoder
_PARTS = {
    'backbone.': 'backbone', 'neck.': 'backbone', 'text_encoder.teacher.': 'text encoder, frozen teacher',
    'text_encoder.': 'text encoder', 'pixel_decoder.early_fusion.': 'early fusion',
    'pixel_decoder.': 'pixel decoder', 'prompter.': 'visual prompter', 'denoising.': 'denoising tables'}
_ATEN = torch.ops.aten
_ATTENTION_PRODUCTS = (_ATEN.bmm, _ATEN._scaled_dot_product_flash_attention_for_cpu)


class Parameters(NamedTuple):
    """Numbers of parameters: of all, of those that train, and by part (all)."""
    total: int
    trainable: int
    parts: dict[str, int]


class Flops(NamedTuple):
    """Operations by part, a multiply-add being two; ``attention`` is what the products of queries with keys
    and of weights with values take of the backbone's."""
    parts: dict[str, int]
    attention: int

    @property
    def total(self) -> int:
        return sum(self.parts.values())


def count_parameters(model: nn.Module) -> Parameters:
    """Count, with the text encoder split into student and teacher."""
    parts = Counter()
    for name, parameter in model.named_parameters():
        path = name.removeprefix('panoptic_head.')
        part = next((part for start, part in _PARTS.items() if path.startswith(start)), 'object decoder and heads')
        parts[part] += parameter.numel()
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return Parameters(sum(parts.values()), trainable, dict(parts))


def count_flops(model: nn.Module, side: int, names: Sequence[str]) -> Flops:
    """Count one forward pass of a ``GLEE`` detector on one square image.

    The image part runs on tensors without data, so that size and device do not matter; the text part runs as it is.
    Counted are convolutions, matrix products, attention and bilinear sampling; norms, activations and other
    pointwise operations are not. All queries get a mask.

    Args:
        model (nn.Module): detector on the CPU.
        side (int): of the image in pixels, a multiple of 64.
        names (Sequence[str]): category names.

    Raises:
        ValueError: ``side`` is not a multiple of 64.
    """
    if side % STRIDES[-1]:
        raise ValueError(f'side must be a multiple of {STRIDES[-1]}, got {side}')
    model.eval()
    head = model.panoptic_head
    with torch.no_grad(), _counter() as counter:
        features = head.text_encoder(names)
    parts = {'text encoder, once per vocabulary': counter.get_total_flops()}
    image = torch.zeros(1, 3, side, side)
    embeds, tokens = features.pooled[None], features.tokens[features.mask][None]
    forward = _ImagePass(model)
    # with gradients: without them the layers take shorter ways on a CPU
    with torch.enable_grad(), FakeTensorMode(allow_non_fake_inputs=True) as fake, _counter() as counter:
        forward(*(fake.from_tensor(tensor) for tensor in (image, embeds, tokens)))
    counts = counter.get_flop_counts()

    def total(path: str) -> int:
        return sum(counts.get(f'_ImagePass.model.{path}', {}).values())

    fusion, pixels = total('panoptic_head.pixel_decoder.early_fusion'), total('panoptic_head.pixel_decoder')
    parts['backbone'] = total('backbone') + total('neck')
    parts['early fusion'] = fusion
    parts['pixel decoder'] = pixels - fusion
    parts['object decoder and heads'] = counter.get_total_flops() - parts['backbone'] - pixels
    backbone = counts['_ImagePass.model.backbone']
    return Flops(parts, sum(backbone.get(operator, 0) for operator in _ATTENTION_PRODUCTS))


class _ImagePass(nn.Module):
    """All that depends on the image, as one module."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, embeds: Tensor, tokens: Tensor) -> Tensor:
        prompt = TextPrompt(embeds, tokens, None, embeds.new_zeros(()))
        outputs = self.model.panoptic_head.decode(self.model.extract_feat(image), prompt, last_only=True)
        return outputs.predictions['']['mask_embeds'] @ outputs.mask_features.flatten(2)


def _counter() -> FlopCounterMode:
    def attention(query, key, value, *args, out_shape=None, **kwargs):
        return sdpa_flop_count(query, key, value)

    def bilinear(value, sizes, locations, weights, out_shape=None):
        return 8 * prod(weights) * value[-1]

    return FlopCounterMode(display=False, depth=None, custom_mapping={
        _ATEN._scaled_dot_product_flash_attention_for_cpu: attention, torch.ops.glee.deformable_attention: bilinear})

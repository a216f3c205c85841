"""Optimisations that can be left out, and the way without any of them: of measurements alone."""
from contextlib import ExitStack, contextmanager
from typing import Iterator
from unittest import mock

import torch
from torch import Tensor, nn

from projects.glee.models.dense_heads.glee_head import GLEEHead
from projects.glee.models.layers import cpu_products, row_linear
from projects.glee.models.layers.deformable_attention import DeformableAttention
from projects.glee.models.layers.early_fusion import EarlyFusion


@contextmanager
def _sampling(model: nn.Module) -> Iterator[None]:
    """Deformable attention by grid_sample."""
    with ExitStack() as stack:
        for part in model.modules():
            if isinstance(part, DeformableAttention):
                stack.enter_context(mock.patch.object(part, 'way', 'grid_sample'))
        yield


@contextmanager
def _products(model: nn.Module) -> Iterator[None]:
    """Linear layers and 1x1 convolutions as torch computes them."""
    with mock.patch.object(row_linear, '_takes_onednn', lambda rows, weight: False), \
            mock.patch.object(cpu_products, '_convolve', torch.conv2d):
        yield


@contextmanager
def _fusion(model: nn.Module) -> Iterator[None]:
    """Early fusion that reads every token and projects every pixel, each head's scores at once."""
    with mock.patch.object(EarlyFusion, '_folding_pays', lambda self, num_tokens: False), \
            mock.patch.object(EarlyFusion, '_groups_pay', lambda self, tokens: False), \
            mock.patch.object(EarlyFusion, '_attend', _materialised):
        yield


def _materialised(self: EarlyFusion, query: Tensor, key: Tensor, value: Tensor, bias: None = None) -> Tensor:
    query, key, value = (part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in (query, key, value))
    scores = (query @ key.transpose(-1, -2) * query.shape[-1]**-0.5).clamp(-5e4, 5e4)
    return (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)


@contextmanager
def _text(model: nn.Module) -> Iterator[None]:
    """Texts are encoded in every call, by the teacher too: with two encoders, which take the same time."""
    encoder, forward = model.panoptic_head.text_encoder, type(model.panoptic_head.text_encoder).forward

    def encode(self, *args, **kwargs):
        for _ in range(2):
            self._clear_caches()
            found = forward(self, *args, **kwargs)
        return found

    with mock.patch.object(type(encoder), 'forward', encode):
        yield


@contextmanager
def _masks(model: nn.Module) -> Iterator[None]:
    """Every query's mask is resized, chosen or not."""
    choose = GLEEHead.predict_by_feat

    def choose_all(self, outputs, num_stuff=0, max_per_img=None):
        found = []
        for index, (selected, _) in enumerate(choose(self, outputs, num_stuff, max_per_img)):
            probs = outputs.last(index)['logits'].float().sigmoid()
            probs = probs[:, :probs.shape[-1] - num_stuff]
            queries = probs.flatten().topk(len(selected.scores)).indices // probs.shape[-1]
            found.append((selected._replace(mask_index=queries), outputs.masks(index)))
        return found

    with mock.patch.object(GLEEHead, 'predict_by_feat', choose_all):
        yield


# what a ratio is called: the way that is left out
WAYS = dict(sampling=_sampling, products=_products, fusion=_fusion, text=_text, masks=_masks)


@contextmanager
def without(model: nn.Module, names: tuple[str, ...]) -> Iterator[None]:
    """The model without some of ``WAYS``; 'reference' leaves out all.

    Args:
        model: a ``GLEE`` detector.
        names: of ``WAYS``, or 'reference'.
    """
    with ExitStack() as stack:
        for name in WAYS if 'reference' in names else names:
            stack.enter_context(WAYS[name](model))
        yield

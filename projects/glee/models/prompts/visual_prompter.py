"""Visual prompts to tokens: a template for early fusion, point features for the decoder (DESIGN section 5)."""
import math
from typing import NamedTuple, Sequence

import torch
import torch.nn.functional as F
from mmcv.ops import point_sample
from mmdet.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from ...structures.prompt_tokens import PromptTokens, join_tokens, stack_points
from ...utils.unwaited import sent

# A thin mark is drawn into the template; a region already shows in its crop.
MARKED_KINDS = ('point', 'scribble')


class VisualPrompt(NamedTuple):
    """Visual prompts of a batch of R images, one each.

    ``template_tokens``: (R, T, D) for early fusion, None where the pixels are encoded already. ``masks``,
    ``neg_masks``: (R, H, W) bool, the prompt's positive and negative pixels in the padded input; one without negative
    pixels has none.
    ``reference``: point tokens of a referring image or of an earlier frame, or None. ``prev_logits``: list of
    mask logits (h, w) of the round before, None where there is none; or None. ``point_rows``: (R,) Long, the image
    whose points each image reads, which for the frames of a clip is the first frame; None for its own.
    """
    template_tokens: Tensor | None
    masks: Tensor
    neg_masks: Tensor
    reference: PromptTokens | None = None
    prev_logits: Sequence[Tensor | None] | None = None
    point_rows: Tensor | None = None

    def for_frames(self, first: Tensor, num_frames: int) -> 'VisualPrompt':
        """Prompts of the first frames of R clips for all R x T frames.

        Args:
            first (Tensor): (R,) Long, the first frames among all frames.
            num_frames (int): T.
        """
        rows = torch.arange(len(first), device=first.device).repeat_interleave(num_frames)
        return VisualPrompt(self.template_tokens[rows], self.masks[rows], self.neg_masks[rows],
                            None if self.reference is None else self.reference.pick(rows), point_rows=first[rows])


def crop_windows(masks: Tensor) -> list[tuple[int, int, int]]:
    """Left, top and side in px of the square crop around the true pixels of each of R masks (R, H, W).

    The box is (min, max) of pixel indices, so a single pixel gives side 0. The low side is clamped at 0.
    """
    ends = []
    for length, filled in ((masks.shape[2], masks.any(1)), (masks.shape[1], masks.any(2))):
        places = torch.arange(length, device=masks.device)
        ends += [torch.where(filled, places, length).amin(1), torch.where(filled, places, -1).amax(1)]
    windows = []
    for x, right, y, bottom in torch.stack(ends, 1).tolist():  # the device is asked once
        width, height = right - x, bottom - y
        side = math.ceil(2 * math.sqrt(width * height))
        windows.append((max(0, round(x + (width - side) / 2)), max(0, round(y + (height - side) / 2)), side))
    return windows


def crop_template(image: Tensor, mask: Tensor, kind: str, window: tuple[int, int, int], size: int = 256) -> Tensor:
    """Template (3, size, size) of one prompt: what surrounds it, with thin marks drawn in.

    Args:
        image: (3, H, W) normalised.
        mask: (H, W) bool with at least one true pixel.
        kind: 'point' and 'scribble' add the mask to the image, the others crop it unchanged.
        window: left, top and side of the crop, px; the whole image where it is empty.
        size: side of the template, px.
    """
    left, top, side = window
    crop, marked = (part[..., top:top + side, left:left + side] for part in (image, mask))
    if not crop.numel():
        crop, marked = image, mask
    if kind in MARKED_KINDS:
        crop = crop + marked
    return F.interpolate(crop[None], (size, size), mode='bilinear', align_corners=False)[0]


def aligned_bilinear(feature: Tensor, factor: int) -> Tensor:
    """Upsample (B, C, h, w) by an integer so that pixel (f·i, f·j) lies half a step right of (i, j)."""
    if factor == 1:
        return feature
    height, width = feature.shape[-2:]
    feature = F.pad(feature, (0, 1, 0, 1), mode='replicate')
    feature = F.interpolate(
        feature, (factor * height + 1, factor * width + 1), mode='bilinear', align_corners=True)
    feature = F.pad(feature, (factor // 2, 0, factor // 2, 0), mode='replicate')
    return feature[..., :factor * height, :factor * width]


def true_pixels(masks: list[Tensor]) -> list[Tensor]:
    """y and x (n, 2) Long of the true pixels of each mask (H, W), row by row; a GPU is asked twice, however many."""
    if not masks or masks[0].device.type == 'cpu':
        return [mask.nonzero() for mask in masks]
    stacked = torch.stack(masks)
    return list(stacked.nonzero()[:, 1:].split(stacked.flatten(1).sum(1).tolist()))


def choose_pixels(pixels: Tensor, size: Sequence[int], count: int, generator: torch.Generator | None = None) -> Tensor:
    """At most ``count`` pixels of a mask, as x, y relative to its size: (n, 2) in [0, 1).

    Pixel indices are divided by the size, without half a pixel; fewer pixels than ``count`` are all taken.

    Args:
        pixels: y and x (N, 2) Long, as of ``true_pixels``.
        size: height and width of the mask.
        count: most pixels.
        generator: of the choice.
    """
    if len(pixels) > count:
        order = torch.randperm(len(pixels), generator=generator)[:count]
        pixels = pixels[order.to(pixels.device, non_blocking=True)]
    return pixels.flip(1) / sent([size[1], size[0]], pixels.device)


def sample_points(features: Tensor, points: Tensor, align_corners: bool = False) -> Tensor:
    """Bilinear samples (C, n) of a map (C, h, w) at points (n, 2), x and y in 0..1.

    At least in float32, since half precision is too coarse for places.
    """
    precision = torch.promote_types(features.dtype, torch.float32)
    sampled = point_sample(features[None].to(precision), points[None].to(precision), align_corners=align_corners)
    return sampled[0].type_as(features)


@MODELS.register_module()
class VisualPrompter(BaseModule):
    """GLEE's visual prompter (paper section 3.1 'Visual prompt'; DESIGN section 5).

    Two extractions per prompted object. The *template*, a crop around the prompt, passes the image
    backbone without gradient; its three coarsest maps are fused to tokens for early fusion. *Point
    features* are samples of the encoder's levels at pixels of the prompt, projected by a matrix per
    level, plus a learned indicator of their sign; queries read them in decoder self-attention.

    Args:
        in_channels (Sequence[int]): channels of the backbone's three coarsest maps, fine to coarse.
        embed_dims (int): width D of the tokens.
        num_levels (int): encoder levels; each has a matrix, the coarsest one's is never used.
        template_size (int): side of the template, px.
        with_template (bool): False leaves templates out of early fusion (the paper's ablation, supplement 3.1); their
            convolutions stay, so that checkpoints of either kind load.
        num_points (int): most pixels of a prompt, and of each sign, that are sampled per level.
        negative_tokens (bool): make tokens of negative pixels too; the indicator of negatives is
            untrained in the released models.
        memory (dict | None): config of ``MemoryPromptEncoder``; released models have none.
        dense (dict | None): config of ``MaskFeatureRefiner``, likewise.
        seed (int): in eval mode each prompt's pixels are drawn by a fresh generator of this seed, so
            that a prompt gives the same result alone and among others.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (512, 1024, 2048),
                 embed_dims: int = 256,
                 num_levels: int = 4,
                 template_size: int = 256,
                 with_template: bool = True,
                 num_points: int = 512,
                 negative_tokens: bool = False,
                 memory: dict | None = None,
                 dense: dict | None = None,
                 seed: int = 0,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.template_size = template_size
        self.with_template = with_template
        self.num_points = num_points
        self.negative_tokens = negative_tokens
        self.seed = seed
        self.template_convs = ModuleList(
            nn.Conv2d(channels, embed_dims, 3, padding=1) for channels in in_channels)
        self.point_embeds = nn.ParameterList(
            torch.zeros(embed_dims, embed_dims) for _ in range(num_levels))
        self.memory = None if memory is None else MODELS.build({
            'embed_dims': embed_dims, 'num_levels': num_levels - 1, **memory})
        self.dense = None if dense is None else MODELS.build({'embed_dims': embed_dims, **dense})
        self.sign_embed = nn.Embedding(2, embed_dims)  # positive, negative

    def init_weights(self) -> None:
        """Point matrices truncated normal 0.02, as the original (DESIGN section 8)."""
        super().init_weights()
        for matrix in self.point_embeds:
            nn.init.trunc_normal_(matrix, std=0.02)

    def crop(self, images: Sequence[Tensor], masks: Tensor, kinds: Sequence[str]) -> Tensor:
        """Templates (R, 3, size, size) of R prompts.

        Args:
            images (Sequence[Tensor]): (3, H, W) normalised, the image of each prompt.
            masks (Tensor): (R, H, W) bool.
            kinds (Sequence[str]): kind of each prompt.
        """
        return torch.stack([
            crop_template(image, mask, kind, window, self.template_size)
            for image, mask, kind, window in zip(images, masks, kinds, crop_windows(masks))
        ])

    def template_tokens(self, feats: Sequence[Tensor]) -> Tensor:
        """Fuse the backbone's maps of the templates [(R, C, h, w)], fine to coarse, to (R, T, D).

        T is 0 without templates.
        """
        maps = [conv(feat) for conv, feat in zip(self.template_convs, feats[-len(self.template_convs):])]
        height = maps[0].shape[-2]
        fused = sum(aligned_bilinear(feat, height // feat.shape[-2]) for feat in maps)
        tokens = fused.flatten(2).transpose(1, 2)
        return tokens if self.with_template else tokens[:, :0]

    def point_tokens(self, levels: Sequence[Tensor], prompt: VisualPrompt) -> PromptTokens:
        """All that a visual prompt says to the decoder: point tokens, those of a reference and of the memory.

        Args:
            levels (Sequence[Tensor]): encoder maps [(R, D, h, w)], fine to coarse.
            prompt (VisualPrompt): the prompts of the R images.
        """
        if prompt.point_rows is not None:
            own, read = prompt.point_rows.unique(return_inverse=True)
            tokens = self.sample_tokens([level[own] for level in levels], prompt.masks[own], prompt.neg_masks[own])
            return join_tokens(tokens.pick(read), prompt.reference)
        memory = None
        if self.memory is not None and prompt.prev_logits is not None:
            memory = self.memory(levels, prompt.prev_logits)
        return join_tokens(self.sample_tokens(levels, prompt.masks, prompt.neg_masks), prompt.reference, memory)

    def sample_tokens(self, levels: Sequence[Tensor], masks: Tensor, neg_masks: Tensor) -> PromptTokens:
        """Point tokens for decoder self-attention, one set per level but the coarsest.

        Args:
            levels (Sequence[Tensor]): encoder maps [(R, D, h, w)], fine to coarse.
            masks, neg_masks (Tensor): (R, H, W) bool, positive and negative pixels over the padded input.
        """
        generators = [None] * len(masks)
        if not self.training:
            generators = [torch.Generator().manual_seed(self.seed) for _ in generators]
        signs = (masks, neg_masks) if self.negative_tokens else (masks, )
        found = true_pixels([mask for each in zip(*signs) for mask in each])
        pixels = [found[row:row + len(signs)] for row in range(0, len(found), len(signs))]
        # levels outside: in training the draws follow each other in this order
        sets = [[self._tokens_of(level[row], matrix, pixels[row], masks.shape[-2:], generator)
                 for row, generator in enumerate(generators)] for level, matrix in zip(levels[:-1], self.point_embeds)]
        return stack_points(list(zip(*sets)))

    def mask_features(self, features: Tensor, prompt: VisualPrompt) -> Tensor:
        """Mask features (R, D, h, w) of R images, with what earlier rounds say about single pixels."""
        if self.dense is None or prompt.prev_logits is None:
            return features
        return self.dense(features, prompt.masks, prompt.neg_masks, prompt.prev_logits)

    def _tokens_of(self, level: Tensor, matrix: Tensor, signed_pixels: list[Tensor], size: Sequence[int],
                   generator: torch.Generator | None) -> Tensor:
        """Tokens (n, D) of one prompt, positive and negative pixels (n, 2), on one level (D, h, w)."""
        tokens = []
        for sign, pixels in enumerate(signed_pixels):
            points = choose_pixels(pixels, size, self.num_points, generator)
            if not len(points):
                continue
            # Sampling is linear: the matrix is applied to the samples instead of the whole level.
            samples = sample_points(level, points, align_corners=True)
            tokens.append(samples.t() @ matrix + self.sign_embed.weight[sign])
        return torch.cat(tokens) if tokens else level.new_zeros(0, len(level))

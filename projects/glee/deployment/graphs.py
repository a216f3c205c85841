"""What is recorded of a detector: modules from tensors to tensors, with the names of both and the sizes that vary."""
from typing import Sequence

import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from torch import Tensor, nn

from ..models.detectors.glee import GLEE
from ..models.language_models.clip_text_encoder import CLIPTextEncoder
from ..models.language_models.text_prompt import TextPrompt
from ..structures.prompt_tokens import PromptTokens

Axes = dict[str, dict[int, str]]
# varying sides are so many times 'rows' and 'columns'
STRIDE = 32


class ImageGraph(nn.Module):
    """The image part of a detector, without post-processing.

    ``inputs``: axes that vary, by input. ``side``: of pictures, px, where the backbone knows places in squares of one
    size alone (EVA02); None where sides vary. ``outputs``, of B images or sentences:

    - ``logits`` (B, Q, C) of query and name, before the sigmoid;
    - ``boxes`` (B, Q, 4) xyxy in 0..1 of the padded image;
    - ``masks`` (B, Q, H/4, W/4) logits (stride 8 for a ViT);
    - ``embeddings`` (B, Q, D) for linking frames of a video;
    - ``positions`` (B, Q) of the encoder's memory that the queries were selected from, which tell queries apart.

    Args:
        model (GLEE): detector in eval mode.
    """

    inputs: Axes = {}
    outputs = ('logits', 'boxes', 'masks', 'embeddings', 'positions')

    def __init__(self, model: GLEE) -> None:
        super().__init__()
        self.model = model
        self.side = model.backbone.img_size if getattr(model.backbone, 'wants_squares', False) else None
        if self.side is not None:
            self.inputs = {**self.inputs, 'image': {0: 'batch'}}

    def _decode(self, feats: Sequence[Tensor], text: TextPrompt) -> tuple[Tensor, ...]:
        outputs = self.model.panoptic_head.decode(feats, text, last_only=True)
        last = outputs.predictions['']
        masks = torch.einsum('bqd,bdhw->bqhw', last['mask_embeds'], outputs.mask_features)
        return last['logits'], bbox_cxcywh_to_xyxy(last['boxes']), masks, outputs.embeddings, outputs.topk_indices

    def image(self, generator: torch.Generator, batch: int, height: int, width: int) -> Tensor:
        """A smooth normalised picture of random colours, (B, 3, H, W), or of the only side that there is."""
        if self.side is not None:
            height = width = self.side
        coarse = torch.randn(batch, 3, 8, 8, generator=generator)
        return nn.functional.interpolate(coarse, (height, width), mode='bicubic')


class NamesGraph(ImageGraph):
    """Names that are encoded elsewhere: ``name_embeds`` (C, D), and the tokens of all, ``fusion_tokens`` (T, D)."""

    inputs = dict(image={0: 'batch', 2: 'rows', 3: 'columns'}, name_embeds={0: 'names'}, fusion_tokens={0: 'tokens'})

    def forward(self, image: Tensor, name_embeds: Tensor, fusion_tokens: Tensor) -> tuple[Tensor, ...]:
        """``outputs`` of the normalised, padded ``image`` (B, 3, H, W)."""
        text = TextPrompt(*(part.expand(image.shape[0], -1, -1) for part in (name_embeds, fusion_tokens)), None,
                          name_embeds.new_zeros(()))
        return self._decode(self.model.extract_feat(image), text)

    def examples(self, generator: torch.Generator, batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        """Inputs of a size, with ``batch + 1`` names of two to five tokens."""
        names = [['', 'a ', 'a red ', 'a small blue '][index % 4] + 'star' for index in range(batch + 1)]
        features = self.model.panoptic_head.text_encoder(names)
        return self.image(generator, batch, height, width), features.pooled, features.valid_tokens


class SentencesGraph(ImageGraph):
    """Sentences that mean one object each.

    ``pictures`` (K,) Long says which picture a sentence is about, so that one serves many and passes the backbone once;
    ``fusion_tokens`` (K, L, D) and ``valid`` (K, L) are of the sentences, padded to L, the text encoder's most.
    ``outputs`` have K in place of B, and C = 1.
    """

    inputs = dict(image={0: 'batch', 2: 'rows', 3: 'columns'}, pictures={0: 'sentences'},
                  fusion_tokens={0: 'sentences'}, valid={0: 'sentences'})

    def forward(self, image: Tensor, pictures: Tensor, fusion_tokens: Tensor, valid: Tensor) -> tuple[Tensor, ...]:
        """``outputs`` of each sentence."""
        weight = valid[..., None].type_as(fusion_tokens)
        embeds = (fusion_tokens * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)
        text = TextPrompt(embeds, fusion_tokens, PromptTokens([fusion_tokens], [valid]), embeds.new_zeros(()))
        return self._decode([feat[pictures] for feat in self.model.extract_feat(image)], text)

    def examples(self, generator: torch.Generator, batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        """Inputs of a size, with ``batch + 1`` sentences."""
        told = [f'the star that is {"left " * index}of the ring' for index in range(batch + 1)]
        features = self.model.panoptic_head.text_encoder(told, pad_to_max=True)
        pictures = torch.arange(batch + 1) % batch
        return self.image(generator, batch, height, width), pictures, features.tokens, features.mask


class TextGraph(nn.Module):
    """The text encoder behind its tokenizer.

    It reads ``input_ids`` (N, L) Long and ``valid`` (N, L) bool; names are padded to the longest, sentences to the most
    that it reads.

    ``outputs``: ``tokens`` (N, L, D), of which the valid ones of all names are their ``fusion_tokens``, and ``embeds``
    (N, D), their ``name_embeds``.
    """

    inputs = dict(input_ids={0: 'texts', 1: 'length'}, valid={0: 'texts', 1: 'length'})
    outputs = ('tokens', 'embeds')

    def __init__(self, encoder: CLIPTextEncoder) -> None:
        super().__init__()
        self.text_model = encoder.text_model
        self.lang_projection = encoder.lang_projection

    def forward(self, input_ids: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """``outputs`` of texts with start and end tokens."""
        length = input_ids.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool, device=valid.device).tril()
        hidden = self.text_model(input_ids, attention_mask=(causal & valid[:, None])[:, None]).last_hidden_state
        tokens = hidden @ self.lang_projection
        weight = valid[..., None].type_as(tokens)
        return tokens, (tokens * weight).sum(1) / weight.sum(1)

    def examples(self, generator: torch.Generator, batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        """Inputs of ``batch + 1`` texts; the picture's size says how long they are."""
        config = self.text_model.config
        length = min(4 + (height + width) // STRIDE % 8, config.max_position_embeddings)
        lengths = torch.arange(batch + 1) % (length - 2) + 3
        lengths[0] = length
        ids = torch.randint(config.vocab_size - 2, (batch + 1, length), generator=generator)
        place = torch.arange(length)
        ids[:, 0] = config.bos_token_id
        ids = torch.where(place >= lengths[:, None] - 1, config.eos_token_id, ids)
        return ids, place < lengths[:, None]

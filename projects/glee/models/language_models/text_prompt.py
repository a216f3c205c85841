"""From data samples to the text tensors the decoders read (DESIGN sections 4 and 5)."""
from typing import NamedTuple, Sequence

import torch
from mmdet.structures import SampleList
from torch import Tensor

from ...structures.prompt_tokens import PromptTokens
from ...structures.sample_text import read_text_mode, sample_names
from ...utils.unwaited import as_index


class TextPrompt(NamedTuple):
    """Encoded text of a batch.

    ``embeds``: (B, C, D), one embedding per name. ``fusion_tokens``: (B, T, D) for early fusion.
    ``decoder_tokens``: tokens for decoder self-attention, expressions only.
    ``distill_loss``: scalar. ``token_groups``: (G,) Long, G <= T: of the first G fusion tokens, the same in all images,
    those with the same number are equal.
    """
    embeds: Tensor
    fusion_tokens: Tensor
    decoder_tokens: PromptTokens | None
    distill_loss: Tensor
    token_groups: Tensor | None = None

    def pick(self, rows: Tensor | list[int]) -> 'TextPrompt':
        """The same for some images, (R,) Long with repetitions."""
        rows = as_index(rows, self.embeds.device)
        tokens = None if self.decoder_tokens is None else self.decoder_tokens.pick(rows)
        return TextPrompt(self.embeds[rows], self.fusion_tokens[rows], tokens, self.distill_loss, self.token_groups)

    @classmethod
    def stack(cls, prompts: Sequence['TextPrompt']) -> 'TextPrompt':
        """Several encoded expressions as one batch."""
        tokens = PromptTokens(*(
            [torch.cat([prompt.decoder_tokens[part][0] for prompt in prompts])] for part in range(2)))
        return cls(torch.cat([prompt.embeds for prompt in prompts]),
                   torch.cat([prompt.fusion_tokens for prompt in prompts]), tokens, prompts[0].distill_loss)


def read_texts(data_samples: SampleList) -> tuple[tuple[tuple[str, ...], ...], bool]:
    """Texts of a batch and whether they are expressions.

    Raises:
        ValueError: a sample has no ``text``, or one that is no name nor names, or the samples differ in ``text_mode``.
    """
    for sample in data_samples:
        if not sample.get('text'):
            raise ValueError(
                f'{sample.get("img_path", "a sample")} carries no text: add "text" to the meta_keys of '
                'the packing transform and return_classes=True to the dataset.')
    modes = {read_text_mode(sample) for sample in data_samples}
    if len(modes) != 1:
        raise ValueError(f'one batch needs one text_mode, category or expression, got {sorted(modes)}.')
    return tuple(sample_names(sample) for sample in data_samples), modes == {'expression'}


def encode_category(text_encoder, names: Sequence[str], batch_size: int) -> TextPrompt:
    """Prompt of a vocabulary shared by the batch: all valid tokens of all names, one after the other."""
    features = text_encoder(names)
    return TextPrompt(
        features.pooled.expand(batch_size, -1, -1), features.valid_tokens.expand(batch_size, -1, -1), None,
        features.distill_loss, features.token_groups)


def encode_expressions(text_encoder, expressions: Sequence[str]) -> TextPrompt:
    """Prompt of one expression per image: all 77 tokens for fusion, the valid ones for the decoder."""
    features = text_encoder(expressions, pad_to_max=True, distill=False)
    return TextPrompt(features.pooled[:, None], features.tokens,
                      PromptTokens([features.tokens], [features.mask]),
                      features.distill_loss)


def encode_batch(text_encoder, data_samples: SampleList) -> TextPrompt:
    """Text of a batch with exactly one vocabulary, or one expression per image.

    Raises:
        ValueError: several expressions of an image, or vocabularies that differ; and as of ``read_texts``.
    """
    texts, is_expression = read_texts(data_samples)
    if is_expression:
        if any(len(text) != 1 for text in texts):
            raise ValueError(
                'loss and tensor mode take exactly one expression per image, got '
                f'{[len(text) for text in texts]}: pick one in the pipeline (PickExpression).')
        return encode_expressions(text_encoder, [text[0] for text in texts])
    if len(set(texts)) != 1:
        raise ValueError('samples of a category batch must share one text; batch by source.')
    return encode_category(text_encoder, texts[0], len(texts))

"""What every image-text language model of transformers has to tell us, and what is the same for all of them."""
from abc import ABCMeta, abstractmethod
from pathlib import Path
from typing import NamedTuple, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from .lora import with_lora
from .words import word_tokenizer

SEG, OBJECT, SCORE = '[SEG]', '<obj>', '[SCORE]'


class SeenPicture(NamedTuple):
    """A picture as the frozen vision tower sees it: features (T, V), and the grid (3,) of patches where positions
    depend on it."""
    features: Tensor
    grid: Optional[Tensor] = None


class ImageTextModel(BaseModule, metaclass=ABCMeta):
    """A language model that reads pictures, objects and text (one subclass per family of transformers).

    A subclass answers three questions: where the tokens of a picture are (``image_token`` and ``see``), how embeddings
    are placed (``position_ids``), and which modules LoRA changes (``lora_modules``).

    Args:
        path (str | None): folder of the released model, as transformers saves it; nothing is downloaded.
        config (dict | None): instead of ``path`` the arguments of a small model with random weights.
        words (str | Sequence[str] | None): with ``config``, the vocabulary: a file of one word a line, or words.
        lora (dict | None): ``r``, ``alpha``, ``dropout`` of LoRA on the language model (B.2: 8, 16, 0.05). None trains
            the whole language model, as one with random weights needs.
        dtype (str): of the language model, 'float32' or 'bfloat16'.
        gradient_checkpointing (bool): compute activations twice instead of keeping them.
        train_projector (bool): also train what maps picture features to the language model.
        seed (int): of random weights.

    Raises:
        ValueError: neither or both of ``path`` and ``config``, or a token of ours is no single token.
        FileNotFoundError: there is no such folder.
    """

    image_token: str
    lora_modules: str  # a regular expression of whole module names
    user_prefix: str
    user_suffix: str
    answer_suffix: str  # the end of an answer, a single token
    turn_gap = ''  # between turns
    picture_prefix = picture_suffix = ''

    def __init__(self, path: Optional[str] = None, config: Optional[dict] = None,
                 words: Union[str, Sequence[str], None] = None, lora: Optional[dict] = None, dtype: str = 'float32',
                 gradient_checkpointing: bool = False, train_projector: bool = False, seed: int = 0) -> None:
        super().__init__()
        if (path is None) == (config is None):
            raise ValueError(f'{type(self).__name__} takes either path=, a folder of weights, or config=, got '
                             f'path={path!r} and config={config!r}')
        self.path, self.uses_lora, self.train_projector = path, lora is not None, train_projector
        if path is not None:
            if not Path(path).is_dir():
                raise FileNotFoundError(f'language_model.path={path}: no such folder; download the model there first')
            from transformers import AutoTokenizer
            self.tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
            core = self.load(path, getattr(torch, dtype))
        else:
            self.tokenizer = word_tokenizer(words or (), [self.image_token, self.answer_suffix])
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(seed)
                core = self.build(config, len(self.tokenizer) + 3).to(getattr(torch, dtype))
        new = [token for token in (SEG, OBJECT, SCORE) if token not in self.tokenizer.get_vocab()]
        self.tokenizer.add_special_tokens(dict(additional_special_tokens=[SEG, OBJECT, SCORE]), False)
        self._fit_embeddings(core, new)
        self.seg_id, self.object_id, self.score_id, self.image_id, self.end_id = map(
            self._single, (SEG, OBJECT, SCORE, self.image_token, self.answer_suffix))
        core.requires_grad_(lora is None)
        self.tower(core).requires_grad_(False)
        self.projector(core).requires_grad_(lora is None or train_projector)
        self.model = core if lora is None else with_lora(
            core, self.lora_modules, lora, input_rows=[self.seg_id, self.object_id, self.score_id],
            output_rows=[self.seg_id, self.score_id])
        if gradient_checkpointing:
            core.gradient_checkpointing_enable(dict(use_reentrant=False))

    # ---- what a family answers ----
    @abstractmethod
    def load(self, path: str, dtype: torch.dtype) -> nn.Module:
        """The released model in a folder."""

    @abstractmethod
    def build(self, config: dict, vocab_size: int) -> nn.Module:
        """A model with random weights."""

    @abstractmethod
    def tower(self, core: nn.Module) -> nn.Module:
        """The vision tower, always frozen."""

    @abstractmethod
    def projector(self, core: nn.Module) -> nn.Module:
        """What maps its features to the language model."""

    @abstractmethod
    def see(self, picture: np.ndarray) -> SeenPicture:
        """RGB uint8 (H, W, 3) through the frozen tower."""

    @abstractmethod
    def project(self, seen: SeenPicture) -> Tensor:
        """Embeddings (T', D) of a picture in the language model."""

    def position_ids(self, ids: Tensor, mask: Tensor, grids: Sequence[Tensor]) -> Tensor:
        """Positions (B, L) of tokens ``ids`` (B, L), of which ``mask`` (B, L) says which are not padding."""
        return (mask.long().cumsum(-1) - 1).clamp_min(0)

    # ---- the same for all ----
    @property
    def core(self) -> nn.Module:
        """The transformers model, LoRA in it or not."""
        return self.model.get_base_model() if self.uses_lora else self.model

    @property
    def width(self) -> int:
        """Of its embeddings, D."""
        return self.core.get_input_embeddings().weight.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """Of the language model."""
        return self.core.get_input_embeddings().weight.dtype

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.core.get_input_embeddings().weight.device

    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings (..., D) of tokens."""
        return self.core.get_input_embeddings()(ids)

    def run(self, embeds: Tensor, mask: Optional[Tensor], positions: Tensor, cache=None) -> Tensor:
        """States (B, L, D) after the last norm, of embeddings (B, L, D); ``cache`` is read and extended."""
        return self.core.model.language_model(
            inputs_embeds=embeds, attention_mask=mask, position_ids=positions, past_key_values=cache,
            use_cache=cache is not None).last_hidden_state

    def logits(self, states: Tensor) -> Tensor:
        """Logits (..., vocabulary) of states (..., D)."""
        return self.core.get_output_embeddings()(states)

    def encode_text(self, text: str) -> list[int]:
        """Ids of a piece of text, without begin and end."""
        return self.tokenizer(text, add_special_tokens=False)['input_ids']

    def decode_text(self, ids: Sequence[int]) -> str:
        """Text of ids, [SEG] included, the end of an answer and padding left out."""
        ids = [token for token in ids if token not in (self.end_id, self.tokenizer.pad_token_id)]
        return self.tokenizer.decode(ids, skip_special_tokens=False).strip()

    def _single(self, token: str) -> int:
        """The id of a token that must be one."""
        ids = self.encode_text(token)
        if len(ids) != 1:
            raise ValueError(f'{token!r} is {len(ids)} tokens of the tokenizer of {self.path or "config="}, it must be '
                             'one: take a model of the family that this adapter is for')
        return ids[0]

    def _fit_embeddings(self, core: nn.Module, new: Sequence[str]) -> None:
        """Room for tokens of ours; rows of ``new`` ones start as the mean of all others."""
        rows = core.get_input_embeddings().weight.shape[0]
        if len(self.tokenizer) > rows:
            core.resize_token_embeddings(len(self.tokenizer), pad_to_multiple_of=64, mean_resizing=False)
        if self.path is None or not new:
            return
        rows = self.tokenizer.convert_tokens_to_ids(list(new))
        with torch.no_grad():
            for table in {core.get_input_embeddings().weight, core.get_output_embeddings().weight}:
                table[rows] = table[:min(rows)].float().mean(0).to(table.dtype)

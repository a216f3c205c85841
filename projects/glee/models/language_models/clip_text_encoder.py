"""CLIP text transformer with a learned projection: names and expressions to embeddings."""
import copy
import logging
import warnings
from typing import Dict, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.logging import print_log
from mmengine.model import BaseModule, initialize
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import CLIPTextConfig, CLIPTextModel

from ..layers.cpu_products import fast_products
from ..layers.recomputed import run_layer
from .clip_checkpoint import load_clip_text_weights
from .clip_tokenizer import CutTexts, build_clip_tokenizer, number_beginnings
from .text_bank import TextBank, TextStates, hash_weights
from .text_cache import TextCache, weights_stamp
from .text_features import TextFeatures

_DISTILL_LOSSES = dict(mse=F.mse_loss, l1=F.l1_loss)
_MODES = ('frozen', 'unfrozen', 'distill')


@MODELS.register_module()
class CLIPTextEncoder(BaseModule):
    """CLIP's text transformer and ``lang_projection`` (paper 3.1; DESIGN section 5).

    The transformer's output after its last LayerNorm is used (CLIP's own text projection is not);
    a bare matrix projects every token to ``embed_dims``.

    A sequence is cut at ``max_position_embeddings`` tokens, its end token kept; the first one is logged, as are the
    first that are equal after it. In eval mode
    without gradient the features of the last calls and the states of their texts are kept, in frozen
    mode the states of names also while training; all are dropped as soon as a weight changes. Returned
    features may be shared with that cache: do not change them in place.

    Args:
        mode: 'frozen' (the transformer does not train), 'unfrozen', or 'distill' (it trains and is
            held near a frozen copy of its initial self, the teacher).
        embed_dims: D, width of the projected tokens.
        checkpoint: Local file or folder of CLIP weights (.safetensors, .bin, .pth) that
            ``init_weights`` loads; None keeps random weights and warns once.
        tokenizer: Local CLIP folder; None uses the BPE file of ``open_clip_torch``.
        hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, hidden_act: Of the transformer, as
            transformers' ``CLIPTextConfig`` names them. The defaults are CLIP ViT-B/32.
        layer_norm_eps, vocab_size, max_position_embeddings, initializer_factor, attn_implementation: The same.
        projection_init: 'orthogonal', or 'uniform' in [0, 1) as the original (the first logits
            are then hundreds).
        distill_loss: 'mse' (released code) or 'l1' (paper), mean over valid tokens x width.
        distill_weight: Factor on that loss.
        chunk_size: Most texts that pass the transformer at once; bounds memory.
        cache_mb: Most memory of each of the caches (of features, of states of names and of expressions,
            of the teacher's), in MiB.
        template: What a name is put into before it is encoded, e.g. 'a photo of a {}'; the released models read
            names as they are. Expressions stay as they are.
        text_bank: File of a ``TextBank``, see ``use_bank``.
        with_cp: In training, recompute the transformer in the backward pass to save memory.
        init_cfg: Initialisers that follow, see ``RemoveCommonDirection``.
    """

    def __init__(self,
                 mode: str = 'distill',
                 embed_dims: int = 256,
                 checkpoint: Optional[str] = None,
                 tokenizer: Optional[str] = None,
                 hidden_size: int = 512,
                 num_hidden_layers: int = 12,
                 num_attention_heads: int = 8,
                 intermediate_size: int = 2048,
                 hidden_act: str = 'quick_gelu',
                 layer_norm_eps: float = 1e-5,
                 vocab_size: int = 49408,
                 max_position_embeddings: int = 77,
                 initializer_factor: float = 1.0,
                 attn_implementation: str = 'sdpa',
                 projection_init: str = 'orthogonal',
                 distill_loss: str = 'mse',
                 distill_weight: float = 4.0,
                 chunk_size: int = 256,
                 cache_mb: float = 128.,
                 template: str = '{}',
                 text_bank: Optional[str] = None,
                 with_cp: bool = False,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        _check_choice('mode', mode, _MODES)
        _check_choice('distill_loss', distill_loss, tuple(_DISTILL_LOSSES))
        if '{}' not in template:
            raise ValueError(f"CLIPTextEncoder got template='{template}' without {{}}, where the name stands")
        self.mode = mode
        self.checkpoint = checkpoint
        self.tokenizer = tokenizer
        self.distill_loss = _DISTILL_LOSSES[distill_loss]
        self.distill_weight = distill_weight
        self.projection_init = projection_init
        self.chunk_size = chunk_size
        self.with_cp = with_cp
        build_clip_tokenizer(tokenizer)  # a missing file is an error now, not after loading data
        self.text_model = CLIPTextModel(CLIPTextConfig(
            vocab_size=vocab_size, hidden_size=hidden_size, intermediate_size=intermediate_size,
            num_hidden_layers=num_hidden_layers, num_attention_heads=num_attention_heads,
            max_position_embeddings=max_position_embeddings, hidden_act=hidden_act,
            layer_norm_eps=layer_norm_eps, initializer_factor=initializer_factor,
            pad_token_id=vocab_size - 1, bos_token_id=vocab_size - 2, eos_token_id=vocab_size - 1,
            attn_implementation=attn_implementation))
        self.text_model.requires_grad_(mode != 'frozen')
        self.teacher = None
        if mode == 'distill':
            self.teacher = copy.deepcopy(self.text_model).requires_grad_(False).eval()
        self.lang_projection = nn.Parameter(_initial_projection(
            projection_init, hidden_size, embed_dims))
        self.template = template
        self.bank = TextBank.load(text_bank) if text_bank else None
        self._bank_checked: Tuple = (None, False)  # versions of the weights, and whether the bank is of these
        self._features, self._names, self._expressions, self._teacher_names = (
            TextCache(int(cache_mb * 2**20)) for _ in range(4))
        self._cut_texts = CutTexts()

    def init_weights(self) -> None:
        """Load ``checkpoint`` into the transformer and its teacher, then apply ``init_cfg``; warn if there is neither.

        ``BaseModule.init_weights`` is replaced: it would call the transformer's own method of
        that name, which means something else.
        """
        if self.is_init:
            return
        if self.checkpoint is not None:
            load_clip_text_weights(self.text_model, self.checkpoint)
        elif not self.init_cfg:
            warnings.warn('CLIPTextEncoder has checkpoint=None: its transformer starts from random '
                          'weights unless a checkpoint of the whole model is loaded.')
        if self.init_cfg:
            initialize(self, self.init_cfg)
        if self.teacher is not None:
            self.teacher.load_state_dict(self.text_model.state_dict())
        self.is_init = True

    def train(self, mode: bool = True) -> 'CLIPTextEncoder':
        """As in torch; the teacher stays in eval mode and cached features are dropped."""
        super().train(mode)
        if self.teacher is not None:
            self.teacher.eval()
        self._clear_caches()  # weight swaps through ``.data`` (mmengine's EMAHook) leave no other trace
        return self

    def _apply(self, *args, **kwargs) -> 'CLIPTextEncoder':
        """As in torch (``.to``, ``.half``, ...); cached features do not stay behind."""
        self._clear_caches()
        return super()._apply(*args, **kwargs)

    def _clear_caches(self) -> None:
        for cache in (self._features, self._names, self._expressions, self._teacher_names):
            cache.clear()
        self._bank_checked = None, False

    def _load_from_state_dict(self, state_dict: Dict[str, Tensor], prefix: str, *args) -> None:
        """Take checkpoints of the other modes too.

        Stages change the mode: where the checkpoint has no teacher, the teacher becomes a copy of
        the loaded transformer; a teacher that this mode does not have is left out.
        """
        teacher, student = prefix + 'teacher.', prefix + 'text_model.'
        stored = [key for key in state_dict if key.startswith(teacher)]
        if self.teacher is None:
            for key in stored:
                del state_dict[key]
        elif not stored:
            state_dict.update({teacher + key.removeprefix(student): value
                               for key, value in list(state_dict.items())
                               if key.startswith(student)})
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._clear_caches()

    def forward(self, texts: Sequence[str], pad_to_max: bool = False,
                distill: bool = True) -> TextFeatures:
        """Encode N texts.

        Args:
            texts: Names of a vocabulary (duplicates allowed), or expressions.
            pad_to_max: Pad to 77 tokens and give features at padded positions too, as early
                fusion wants them for expressions. Otherwise positions behind a text are zero.
            distill: Whether the distillation loss is wanted ('distill' mode, training).

        Raises:
            ValueError: There is no text, or one is empty; its position is named.
        """
        texts = _checked(texts)
        if not pad_to_max and self.template != '{}':
            texts = tuple(self.template.replace('{}', text) for text in texts)
        reusable = not (self.training or torch.is_grad_enabled())
        if not reusable:
            return self._encode(texts, pad_to_max, distill)
        self._features.refresh(
            weights_stamp([*self.text_model.parameters(), self.lang_projection]))
        features = self._features.get((texts, pad_to_max))
        if features is None:
            features = self._encode(texts, pad_to_max, distill=False)
            self._features.put((texts, pad_to_max), features)
        return features

    def embed_tokens(self, texts: Sequence[str]) -> Tuple[Tensor, Tensor]:
        """What the transformer reads, without positions: (N, L, width) and its validity mask (N, L).

        For parts that learn meanings of words which the transformer has not.

        Raises:
            ValueError: There is no text, or one is empty; its position is named.
        """
        model = self.text_model
        batch = build_clip_tokenizer(self.tokenizer)(
            list(_checked(texts)), padding='longest', truncation=True,
            max_length=model.config.max_position_embeddings, return_tensors='pt').to(self.lang_projection.device)
        return model.get_input_embeddings()(batch['input_ids']), batch['attention_mask'].bool()

    @torch.no_grad()
    def make_bank(self, names: Sequence[str] = (), expressions: Sequence[str] = ()) -> TextBank:
        """Names and expressions as the current weights encode them, in eval mode.

        Raises:
            ValueError: There is no text, or one is empty; its position is named.
        """
        _checked((*names, *expressions))
        told = [self.template.replace('{}', name) for name in names]
        kinds = [{text: TextStates(*states) for text, states in self._states(self.text_model, texts, padded).items()}
                 for texts, padded in ((told, False), (expressions, True))]
        return TextBank(*kinds, self.template, hash_weights(self.text_model.parameters()),
                        str(self.lang_projection.dtype).removeprefix('torch.'))

    def use_bank(self, bank: Optional[TextBank]) -> None:
        """Take the states of texts from a bank, wherever the weights of the transformer do not train.

        As soon as the weights are others it counts no longer, which is logged.

        Raises:
            ValueError: It was made with other weights or another template.
        """
        misfit = bank and bank.misfit(self.text_model.parameters(), self.template)
        if misfit:
            raise ValueError(f'the text bank does not fit this model: {misfit}; write it again')
        self.bank = bank
        self._clear_caches()

    def _banked(self, pad_to_max: bool) -> Dict[str, TextStates]:
        """What the bank holds of names or expressions, if it is of the weights as they are now."""
        if self.bank is None:
            return {}
        versions, fits = weights_stamp(self.text_model.parameters())[-1], self._bank_checked[1]
        if self._bank_checked[0] != versions:
            misfit = self.bank.misfit(self.text_model.parameters(), self.template)
            if misfit:
                print_log(f'the text bank is left out: {misfit}; write it again', logger='current',
                          level=logging.WARNING)
            fits = misfit is None
            self._bank_checked = versions, fits
        if not fits:
            return {}
        return self.bank.expressions if pad_to_max else self.bank.names

    def _encode(self, texts: Tuple[str, ...], pad_to_max: bool, distill: bool) -> TextFeatures:
        cache = self._state_cache(pad_to_max)
        if cache is not None:
            cache.refresh(weights_stamp(self.text_model.parameters()))
        states = self._states(self.text_model, texts, pad_to_max, cache)
        hidden, mask, valid = _padded(states, texts)
        loss = hidden.new_zeros(())
        if distill and self.training and self.teacher is not None:
            loss = self._distillation(texts, hidden.flatten(0, 1)[valid])
        tokens = hidden @ self.lang_projection
        weight = mask.unsqueeze(-1).to(tokens.dtype)
        pooled = (tokens * weight).sum(1) / weight.sum(1)
        groups = None
        is_inference = not (self.training or torch.is_grad_enabled())
        if not pad_to_max and (is_inference or tokens.device.type == 'cpu'):
            tokenizer = build_clip_tokenizer(self.tokenizer)
            groups = torch.tensor(number_beginnings(
                tokenizer, texts, self.text_model.config.max_position_embeddings)).to(tokens.device)
        return TextFeatures(tokens, mask, pooled, hidden, loss, tokens.flatten(0, 1)[valid], groups)

    def _state_cache(self, pad_to_max: bool) -> Optional[TextCache]:
        """Where the states of names, or of expressions, are kept at present."""
        test = not (self.training or torch.is_grad_enabled())
        if pad_to_max:
            return self._expressions if test else None  # in training they hardly ever come again
        return self._names if test or self.mode == 'frozen' else None

    def _distillation(self, texts: Tuple[str, ...], hidden: Tensor) -> Tensor:
        """Weighted mean difference of student, the valid states (T, width), and teacher."""
        with torch.no_grad():
            self._teacher_names.refresh(weights_stamp(self.teacher.parameters()))
            states = self._states(self.teacher, texts, False, self._teacher_names)
        target = torch.cat([states[text][0] for text in texts])
        return self.distill_weight * self.distill_loss(hidden.float(), target.float())

    def _states(self, model: nn.Module, texts: Sequence[str], pad_to_max: bool,
                cache: Optional[TextCache] = None) -> Dict[str, Tuple[Tensor, int]]:
        """Hidden states (L, width) of each different text and the number of valid tokens.

        L is that number, or 77 with ``pad_to_max``. What ``cache`` holds is not computed again.
        """
        known = self._banked(pad_to_max) if cache is not None and model is self.text_model else {}
        states: Dict[str, Tuple[Tensor, int]] = {}
        missing: List[str] = []
        for text in dict.fromkeys(texts):
            entry = cache.get(text) if cache is not None else None
            if entry is None and text in known:
                entry = known[text].hidden.to(self.lang_projection), known[text].length
                cache.put(text, entry)
            if entry is None:
                missing.append(text)
            else:
                states[text] = entry
        for start in range(0, len(missing), self.chunk_size):
            chunk = missing[start:start + self.chunk_size]
            for text, entry in zip(chunk, self._run(model, chunk, pad_to_max)):
                states[text] = entry
                if cache is not None:
                    cache.put(text, (entry[0].clone(), entry[1]))  # without the rest of the chunk
        return states

    def _run(self, model: nn.Module, texts: List[str],
             pad_to_max: bool) -> List[Tuple[Tensor, int]]:
        """One pass of the transformer."""
        tokenizer, limit = build_clip_tokenizer(self.tokenizer), model.config.max_position_embeddings
        batch = tokenizer(texts, padding='max_length' if pad_to_max else 'longest', truncation=True, max_length=limit,
                          return_tensors='pt')
        if batch['input_ids'].shape[1] == limit:
            full = batch['attention_mask'].all(1).nonzero().flatten().tolist()
            self._cut_texts.notice(tokenizer, [texts[row] for row in full], batch['input_ids'][full].tolist(), limit)
        ids, valid = batch['input_ids'], batch['attention_mask']
        # Causal attention keeps padding away from valid tokens, so names need no mask. Padded
        # positions of an expression are read by early fusion: there the mask decides their values.
        mask = None
        if pad_to_max:
            mask = valid
            if model.config._attn_implementation == 'sdpa':  # a whole mask, whose values transformers does not ask for
                mask = valid.bool()[:, None, None] & torch.ones(limit, limit, dtype=torch.bool).tril()
            mask = mask.to(self.lang_projection.device, non_blocking=True)
        hidden = run_layer(self._transform, self.with_cp and model.training, model,
                           ids.to(self.lang_projection.device, non_blocking=True), mask)
        return [(h if pad_to_max else h[:n], n) for h, n in zip(hidden, valid.sum(1).tolist())]

    def _transform(self, model: nn.Module, ids: Tensor, mask: Optional[Tensor]) -> Tensor:
        """States (N, L, width) of tokens (N, L)."""
        with fast_products(self.lang_projection, with_gradients=True):
            return model(input_ids=ids, attention_mask=mask).last_hidden_state


def _padded(states: Dict[str, Tuple[Tensor, int]], texts: Sequence[str]) -> Tuple[Tensor, Tensor, Tensor]:
    """Hidden states (N, L, width) of ``texts``, their validity mask (N, L), and the valid rows (T,) of N*L."""
    hidden = pad_sequence([states[text][0] for text in texts], batch_first=True)
    # both are known on the CPU: a mask as index would make the program wait for the device
    mask = torch.arange(hidden.shape[1]) < torch.tensor([states[text][1] for text in texts])[:, None]
    valid = mask.flatten().nonzero()[:, 0]
    return hidden, *(part.to(hidden.device, non_blocking=True) for part in (mask, valid))


def _checked(texts: Sequence[str]) -> Tuple[str, ...]:
    """``texts`` as a tuple; ValueError if it is not a non-empty sequence of non-empty strings."""
    if isinstance(texts, str):
        raise ValueError(f"texts is the single string '{texts}'; give a list of strings")
    texts = tuple(texts)
    if not texts:
        raise ValueError('texts is empty; give at least one name or expression')
    for position, text in enumerate(texts):
        if not text.strip():
            raise ValueError(f'text {position} of {len(texts)} is empty')
    return texts


def _check_choice(key: str, value: str, choices: Tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"CLIPTextEncoder got {key}='{value}'; choose one of {choices}")


def _initial_projection(kind: str, width: int, embed_dims: int) -> Tensor:
    """A (width, embed_dims) matrix, see ``projection_init``."""
    _check_choice('projection_init', kind, ('orthogonal', 'uniform'))
    matrix = torch.empty(width, embed_dims)
    return nn.init.orthogonal_(matrix) if kind == 'orthogonal' else nn.init.uniform_(matrix)

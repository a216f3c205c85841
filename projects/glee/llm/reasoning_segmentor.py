"""GLEE as the object foundation of a language model: each [SEG] that it says is a mask (GLEE section 4.4; LISA)."""
from typing import Iterator, NamedTuple, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from . import generation
from .dialogue import Tokens, Turn, tokenize
from .losses import mask_bce, mask_dice, text_loss
from .object_encoder import ObjectEncoder, PictureObjects
from .projectors import SegProjector
from .reader import DialogueReader, Read, Seen


class Answer(NamedTuple):
    """What the model said. text: the answer. logits: mask logits [(H, W)] at the size of the picture, one per [SEG].
    embeds: (M, C) of each [SEG]. objects: per [SEG] the index of the GLEE object whose mask agrees best, None where
    none does to IoU 0.5."""
    text: str
    logits: list[Tensor]
    embeds: Tensor
    objects: list[Optional[int]]

    @property
    def scores(self) -> list[float]:
        """Mean probability inside each mask, 0 of an empty one."""
        return [float(one[one > 0].sigmoid().mean()) if (one > 0).any() else 0. for one in self.logits]


@MODELS.register_module()
class ReasoningSegmentor(BaseModel):
    """A frozen GLEE, a language model that reads its objects, and masks of what the language model points at.

    A batch is ``inputs``, per sample a list of pictures RGB uint8 (H, W, 3), and samples with ``turns`` (a dialogue),
    ``seg_pictures`` (of each [SEG] of its answers the number of its picture) and, to train, ``gt_masks`` (bool (H, W)
    of each [SEG]). The GLEE is neither trained nor part of the state.

    Args:
        glee (dict | ObjectEncoder): arguments of ``ObjectEncoder``, or one that is there.
        language_model (dict): config of an ``ImageTextModel``.
        num_objects (int): object tokens of a picture; 0 for the ablation without.
        use_image_tokens (bool): also the tokens of the model's own vision tower.
        seg_state (str): which state becomes the mask: 'predict', the one that predicts [SEG] (LISA), or 'token', that
            of [SEG] itself.
        ce_on (str): tokens with a text loss: 'answer', or 'seg' (GLUS).
        loss_weights (dict): of ``text``, ``bce`` and ``dice``.
        max_new_tokens (int): of an answer.
        cached_mb (int): MiB of the vision tower's features kept.
    """

    def __init__(self, glee, language_model: dict, num_objects: int = 100, use_image_tokens: bool = True,
                 seg_state: str = 'predict', ce_on: str = 'answer',
                 loss_weights: dict = dict(text=1.0, bce=2.0, dice=0.5), max_new_tokens: int = 64,
                 cached_mb: int = 128, data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if seg_state not in ('predict', 'token'):
            raise ValueError(f"seg_state={seg_state!r} must be 'predict' or 'token'")
        # in a tuple, so that it is no part of this module: not trained, not saved, not counted
        self._glee = (glee if isinstance(glee, ObjectEncoder) else ObjectEncoder(**glee), )
        model = MODELS.build(language_model)
        self.reader = DialogueReader(model, self.glee.channels, num_objects, use_image_tokens, cached_mb)
        self.seg_projector = SegProjector(model.width, self.glee.channels)
        self.seg_state, self.ce_on, self.max_new_tokens = seg_state, ce_on, max_new_tokens
        self.loss_weights = dict(loss_weights)
        self._register_state_dict_hook(_drop_released_weights)

    @property
    def glee(self) -> ObjectEncoder:
        """The frozen GLEE."""
        return self._glee[0]

    @property
    def language_model(self):
        """The adapter of the language model."""
        return self.reader.language_model

    def train(self, mode: bool = True) -> 'ReasoningSegmentor':
        """As the base class; the vision tower stays in eval mode."""
        super().train(mode)
        self.language_model.tower(self.language_model.core).eval()
        return self

    # ---- pictures and text in ----
    def see(self, pictures: Sequence[np.ndarray]) -> Seen:
        """Pictures RGB uint8 (H, W, 3) through the frozen parts."""
        device = self.language_model.device
        encoder = self.glee.to(device)
        return Seen(tuple(encoder(picture) for picture in pictures),
                    tuple(self.reader.look(picture) for picture in pictures))

    def read(self, turns: Sequence[Turn], seen: Seen, open_answer: bool = False) -> tuple[Tokens, Read]:
        """A dialogue as tokens and as embeddings."""
        counts, shown = self.reader.picture_tokens(seen)
        tokens = tokenize(self.language_model, turns, counts, self.reader.num_objects, open_answer, self.ce_on)
        return tokens, self.reader.read(tokens, shown, seen)

    # ---- masks out ----
    def seg_embeds(self, tokens: Tokens, states: Tensor) -> Tensor:
        """Mask embeddings (M, C) of the [SEG] in a dialogue, of its states (L, D)."""
        at = (tokens.ids == self.language_model.seg_id).nonzero()[:, 0].to(states.device)
        return self.seg_projector((states[at - 1] if self.seg_state == 'predict' else states[at]).float())

    def masks(self, embeds: Tensor, found: PictureObjects) -> Tensor:
        """Mask logits (M, H, W) at the size of the original picture, of embeddings (M, C)."""
        return to_picture(torch.einsum('mc,chw->mhw', embeds, found.pixels.to(embeds)), found)

    # ---- modes ----
    def forward(self, inputs: list, data_samples: Sequence[DetDataSample], mode: str = 'tensor'):
        """``mode`` 'loss', 'predict', or 'tensor', which returns mask logits [(H, W)] of each sample."""
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        return [logits for _, logits, _ in self._taught(inputs, data_samples)]

    def _taught(self, inputs: list, data_samples: Sequence[DetDataSample],
                side: str = 'right') -> list[tuple[Tokens, list[Tensor], Tensor]]:
        """Per sample its tokens, mask logits of its answers' [SEG], and states, all samples in one batch."""
        seen = [self.see(pictures) for pictures in inputs]
        tokens, reads = zip(*(self.read(sample.turns, one) for sample, one in zip(data_samples, seen)))
        states = self.reader(reads, side)
        return [(one, self.sample_masks(self.seg_embeds(one, state), sample.seg_pictures, pictures), state)
                for one, state, sample, pictures in zip(tokens, states, data_samples, seen)]

    def sample_masks(self, embeds: Tensor, seg_pictures: Sequence[int], seen: Seen) -> list[Tensor]:
        """Mask logits [(H, W)] of embeddings (M, C), the m-th in picture ``seg_pictures[m]``."""
        return [self.masks(embed[None], seen.objects[number])[0] for embed, number in zip(embeds, seg_pictures)]

    def loss(self, inputs: list, data_samples: Sequence[DetDataSample]) -> dict[str, Tensor]:
        """Text, binary cross-entropy and Dice; a batch without a mask has the first only."""
        return self.losses_of(self._taught(inputs, data_samples), data_samples)

    def losses_of(self, taught: Sequence[tuple[Tokens, list[Tensor], Tensor]],
                  data_samples: Sequence[DetDataSample]) -> dict[str, Tensor]:
        """The losses of what a batch gave: per sample its tokens, mask logits and states."""
        states = torch.cat([state[:-1] for _, _, state in taught])
        labels = torch.cat([tokens.labels[1:] for tokens, _, _ in taught]).to(states.device)
        kept = labels >= 0
        losses = dict(loss_text=self.loss_weights['text'] * text_loss(
            self.language_model.logits(states[kept]), labels[kept]))
        logits = [one for _, masks, _ in taught for one in masks]
        targets = [torch.as_tensor(mask, device=states.device) for sample in data_samples for mask in sample.gt_masks]
        if logits:
            losses.update(loss_bce=self.loss_weights['bce'] * mask_bce(logits, targets),
                          loss_dice=self.loss_weights['dice'] * mask_dice(logits, targets))
        return losses

    @torch.no_grad()
    def predict(self, inputs: list, data_samples: Sequence[DetDataSample]) -> Sequence[DetDataSample]:
        """The samples with ``answer`` (text) and ``pred_instances`` (``masks`` bool (M, H, W), ``scores``, ``bboxes``)
        of the last turn, whose answer, if it has one, is not looked at."""
        for pictures, sample in zip(inputs, data_samples):
            turns = [*sample.turns[:-1], sample.turns[-1]._replace(answer=None)]
            found = self.ask(turns, self.see(pictures))
            height, width = pictures[-1].shape[:2]
            masks = torch.stack(found.logits) > 0 if found.logits else torch.zeros(
                (0, height, width), dtype=torch.bool)
            sample.pred_instances = InstanceData(
                masks=masks.cpu(), scores=torch.tensor(found.scores), bboxes=mask_boxes(masks.cpu()))
            sample.set_field(found.text, 'answer', field_type='metainfo')
        return data_samples

    def ask(self, turns: Sequence[Turn], seen: Seen, picture: int = -1) -> Answer:
        """The answer to the last turn; its masks are those of one of the pictures."""
        said = list(self.stream(turns, seen))
        return self.finish(said, seen, picture)

    def stream(self, turns: Sequence[Turn], seen: Seen) -> Iterator[generation.Said]:
        """The answer, token after token."""
        with torch.no_grad():
            read = self.read(turns, seen)[1]
        yield from generation.answer(self.language_model, read, self.max_new_tokens)

    @torch.no_grad()
    def finish(self, said: Sequence[generation.Said], seen: Seen, picture: int = -1) -> Answer:
        """Text and masks of an answer that was streamed."""
        tokens = [one.token for one in said]
        shift = 0 if self.seg_state == 'predict' else 1
        states = [said[number + shift].state for number, token in enumerate(tokens)
                  if token == self.language_model.seg_id and number + shift < len(said)]
        found = seen.objects[picture]
        if not states:
            return Answer(self.language_model.decode_text(tokens), [], found.queries.new_zeros(0, self.glee.channels),
                          [])
        embeds = self.seg_projector(torch.stack(states).float())
        return Answer(self.language_model.decode_text(tokens), list(self.masks(embeds, found)), embeds,
                      best_objects(torch.einsum('mc,chw->mhw', embeds, found.pixels.to(embeds)), found))


def to_picture(logits: Tensor, found: PictureObjects) -> Tensor:
    """Mask logits (M, h, w) over the padded input at the size of the original picture, (M, H, W)."""
    height, width = (round(side * share) for side, share in zip(
        (4 * logits.shape[-2], 4 * logits.shape[-1]), found.valid))
    full = F.interpolate(logits[None], scale_factor=4., mode='bilinear', align_corners=False)[..., :height, :width]
    if tuple(full.shape[-2:]) != found.shape:
        full = F.interpolate(full, found.shape, mode='bilinear', align_corners=False)
    return full[0]


def mask_boxes(masks: Tensor) -> Tensor:
    """Boxes (M, 4) xyxy px of bool masks (M, H, W), zeros for an empty one."""
    boxes = torch.zeros(len(masks), 4)
    for row, mask in zip(boxes, masks):
        if mask.any():
            ys, xs = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
            row[:] = torch.stack([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1])
    return boxes


def best_objects(logits: Tensor, found: PictureObjects, least: float = 0.5) -> list[Optional[int]]:
    """Per mask (M, h, w) the index of the GLEE object of the highest IoU, None below ``least``."""
    masks, objects = (logits > 0).flatten(1).float(), (found.masks() > 0).flatten(1).to(logits)
    inter = masks @ objects.t()
    iou = inter / (masks.sum(1, keepdim=True) + objects.sum(1) - inter).clamp_min(1)
    values, rows = iou.max(1)
    return [int(row) if value >= least else None for value, row in zip(values, rows)]


def _drop_released_weights(model: ReasoningSegmentor, state: dict, prefix: str, metadata: dict) -> dict:
    """State without what the folder of the released language model holds and training has not changed."""
    if model.language_model.path is not None:
        trained = {prefix + name for name, value in model.named_parameters() if value.requires_grad}
        for name in [name for name in state if name.startswith(f'{prefix}reader.language_model.')
                     and name not in trained]:
            del state[name]
    return state

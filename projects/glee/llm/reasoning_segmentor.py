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
from .dialogue import Tokens, Turn, sought_in, tokenize
from .losses import mask_bce, mask_dice, text_loss
from .object_encoder import ObjectEncoder, PictureObjects
from .object_readout import ObjectReadout, choice_losses, objects_meant
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


class Taught(NamedTuple):
    """What a dialogue with its answers gives: tokens, states (L, D), embeddings (M, C) of the [SEG] of its answers, and
    what was seen."""
    tokens: Tokens
    states: Tensor
    embeds: Tensor
    seen: Seen


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
        loss_weights (dict): of ``text``, ``bce`` and ``dice``, and of ``objects``: with it [SEG] also learns which of
            GLEE's objects it means (``ObjectReadout``).
        max_new_tokens (int): of an answer.
        cached_mb (int): MiB of the vision tower's features kept.
        object_masks (bool): tokens of objects carry their mask embeddings, too, and the projection of [SEG] has a
            linear way (ours; the paper does not say it).
        readout (str): 'pixels', a mask is the product of [SEG] with GLEE's pixels; 'pointed', the same after [SEG] has
            pointed at the objects that are shown, whose mask embeddings are added to its own; 'objects', the union of
            the objects that it selects (ours, as 'pointed'). The last two need a weight of ``objects``.
    """

    def __init__(self, glee, language_model: dict, num_objects: int = 100, use_image_tokens: bool = True,
                 seg_state: str = 'predict', ce_on: str = 'answer',
                 loss_weights: dict = dict(text=1.0, bce=2.0, dice=0.5), max_new_tokens: int = 64,
                 cached_mb: int = 128, object_masks: bool = False, readout: str = 'pixels',
                 data_preprocessor: Optional[dict] = None, init_cfg: Optional[dict] = None) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if seg_state not in ('predict', 'token'):
            raise ValueError(f"seg_state={seg_state!r} must be 'predict' or 'token'")
        if readout not in ('pixels', 'pointed', 'objects') or readout != 'pixels' and not loss_weights.get('objects'):
            raise ValueError(f"readout={readout!r} must be 'pixels', or with loss_weights=dict(objects=...) 'pointed' "
                             "or 'objects'")
        if readout == 'objects' and not num_objects:
            raise ValueError("readout='objects' needs objects that are shown, num_objects is 0")
        # in a tuple, so that it is no part of this module: not trained, not saved, not counted
        self._glee = (glee if isinstance(glee, ObjectEncoder) else ObjectEncoder(**glee), )
        model = MODELS.build(language_model)
        self.reader = DialogueReader(model, self.glee.channels, num_objects, use_image_tokens, cached_mb, object_masks)
        self.seg_projector = SegProjector(model.width, self.glee.channels, object_masks)
        self.readout = readout
        with_objects = num_objects and loss_weights.get('objects')  # where none is shown there is none to point at
        self.object_readout = ObjectReadout(self.glee.channels) if with_objects else None
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
    def see(self, pictures: Sequence[np.ndarray], sought: Optional[Sequence[str]] = None) -> Seen:
        """Pictures RGB uint8 (H, W, 3) through the frozen parts; ``sought``, of each what the question about it seeks,
        is needed where that is what GLEE is asked for."""
        device = self.language_model.device
        encoder = self.glee.to(device)
        return Seen(tuple(map(encoder, pictures, [''] * len(pictures) if sought is None else sought)),
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
        return to_picture(self.small_masks(embeds, found), found)

    def small_masks(self, embeds: Tensor, found: PictureObjects) -> Tensor:
        """Mask logits (M, h, w) over the padded input."""
        if self.object_readout is not None:
            shown = found.first(self.reader.num_objects)
            if self.readout == 'objects':
                return self.object_readout.masks(embeds, shown)
            if self.readout == 'pointed':
                embeds = self.object_readout.pointed(embeds, shown)
        return torch.einsum('mc,chw->mhw', embeds, found.pixels.to(embeds))

    # ---- modes ----
    def forward(self, inputs: list, data_samples: Sequence[DetDataSample], mode: str = 'tensor'):
        """``mode`` 'loss', 'predict', or 'tensor', which returns mask logits [(H, W)] of each sample."""
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        return [self.sample_masks(one.embeds, sample.seg_pictures, one.seen)
                for one, sample in zip(self._taught(inputs, data_samples), data_samples)]

    def _taught(self, inputs: list, data_samples: Sequence[DetDataSample], side: str = 'right') -> list[Taught]:
        """What the answers of the samples give, all samples in one batch."""
        seen = [self.see(pictures, sought_in(sample.turns, len(pictures)))
                for pictures, sample in zip(inputs, data_samples)]
        tokens, reads = zip(*(self.read(sample.turns, one) for sample, one in zip(data_samples, seen)))
        states = self.reader(reads, side)
        return [Taught(one, state, self.seg_embeds(one, state), pictures)
                for one, state, pictures in zip(tokens, states, seen)]

    def sample_masks(self, embeds: Tensor, seg_pictures: Sequence[int], seen: Seen) -> list[Tensor]:
        """Mask logits [(H, W)] of embeddings (M, C), the m-th in picture ``seg_pictures[m]``."""
        masks: list[Optional[Tensor]] = [None] * len(embeds)
        for rows, number in rows_of(seg_pictures):
            for row, mask in zip(rows, self.masks(embeds[rows], seen.objects[number])):
                masks[row] = mask
        return masks

    def loss(self, inputs: list, data_samples: Sequence[DetDataSample]) -> dict[str, Tensor]:
        """Text, binary cross-entropy and Dice of masks, objects where they have a weight; a batch without a mask has
        the first only."""
        return self.losses_of(self._taught(inputs, data_samples), data_samples)

    def losses_of(self, taught: Sequence[Taught], data_samples: Sequence[DetDataSample]) -> dict[str, Tensor]:
        """The losses of what a batch gave."""
        states = torch.cat([one.states[:-1] for one in taught])
        labels = torch.cat([one.tokens.labels[1:] for one in taught]).to(states.device)
        kept = labels >= 0
        losses = dict(loss_text=self.loss_weights['text'] * text_loss(
            self.language_model.logits(states[kept]), labels[kept]))
        if not any(len(one.embeds) for one in taught):
            return losses
        if self.readout != 'objects':
            logits = [mask for one, sample in zip(taught, data_samples)
                      for mask in self.sample_masks(one.embeds, sample.seg_pictures, one.seen)]
            targets = [torch.as_tensor(mask, device=states.device) for sample in data_samples
                       for mask in sample.gt_masks]
            losses.update(loss_bce=self.loss_weights['bce'] * mask_bce(logits, targets),
                          loss_dice=self.loss_weights['dice'] * mask_dice(logits, targets))
        if self.object_readout is not None:
            losses['loss_objects'] = self.loss_weights['objects'] * torch.cat([
                self.object_losses(one, sample) for one, sample in zip(taught, data_samples)]).mean()
        return losses

    def object_losses(self, taught: Taught, sample: DetDataSample) -> Tensor:
        """``choice_losses`` (M,) of all [SEG] of a dialogue."""
        losses, masks = [], torch.as_tensor(np.array(sample.gt_masks), device=taught.embeds.device)
        for rows, number in rows_of(sample.seg_pictures):
            found = taught.seen.objects[number].first(self.reader.num_objects)
            losses.append(choice_losses(self.object_readout(taught.embeds[rows], found),
                                        objects_meant(masks[rows], found)))
        return torch.cat(losses) if losses else taught.embeds.sum(1)

    @torch.no_grad()
    def predict(self, inputs: list, data_samples: Sequence[DetDataSample]) -> Sequence[DetDataSample]:
        """The samples with ``answer`` (text) and ``pred_instances`` (``masks`` bool (M, H, W), ``scores``, ``bboxes``)
        of the last turn, whose answer, if it has one, is not looked at."""
        for pictures, sample in zip(inputs, data_samples):
            turns = [*sample.turns[:-1], sample.turns[-1]._replace(answer=None)]
            found = self.ask(turns, self.see(pictures, sought_in(turns, len(pictures))))
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
        masks = self.small_masks(embeds, found)
        return Answer(self.language_model.decode_text(tokens), list(to_picture(masks, found)), embeds,
                      best_objects(masks, found))


def rows_of(numbers: Sequence[int]) -> list[tuple[list[int], int]]:
    """(rows, number) of each number that is there."""
    return [([row for row, one in enumerate(numbers) if one == number], number) for number in sorted(set(numbers))]


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
    if not len(found.queries):
        return [None] * len(logits)
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

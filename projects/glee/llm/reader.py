"""A language model that reads dialogues about pictures and their objects."""
from typing import NamedTuple, Optional, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from .adapters import ImageTextModel, SeenPicture
from .dialogue import PointedObject, Tokens
from .object_encoder import PictureObjects
from .picture_cache import PictureCache
from .projectors import ObjectProjector


class Seen(NamedTuple):
    """Pictures of a dialogue: their GLEE objects, and what the vision tower made of them (None without it)."""
    objects: tuple[PictureObjects, ...]
    towers: tuple[Optional[SeenPicture], ...]


class Read(NamedTuple):
    """A dialogue as the language model takes it: embeds (L, D), positions (L,) or (3, L)."""
    embeds: Tensor
    positions: Tensor


class DialogueReader(nn.Module):
    """Places the embeddings of text, pictures and objects.

    Args:
        language_model (ImageTextModel): the model.
        channels (int): C of GLEE.
        num_objects (int): object tokens of a picture; 0 shows none (the ablation).
        use_image_tokens (bool): also the tokens of the model's own vision tower.
        cached_mb (int): of the tower's features, as of ``PictureCache``.
        object_masks (bool): as of ``ObjectProjector``'s ``with_masks``.

    Raises:
        ValueError: neither objects nor image tokens.
    """

    def __init__(self, language_model: ImageTextModel, channels: int, num_objects: int, use_image_tokens: bool,
                 cached_mb: int, object_masks: bool = False) -> None:
        super().__init__()
        if not num_objects and not use_image_tokens:
            raise ValueError('num_objects=0 and use_image_tokens=False leave nothing to see')
        self.language_model = language_model
        self.num_objects, self.use_image_tokens = num_objects, use_image_tokens
        self.object_projector = ObjectProjector(channels, language_model.width, object_masks)
        self.cache = PictureCache(cached_mb)

    def look(self, picture: np.ndarray) -> Optional[SeenPicture]:
        """RGB uint8 (H, W, 3) through the vision tower; None without image tokens."""
        return self.cache(picture, self.language_model.see) if self.use_image_tokens else None

    def picture_tokens(self, seen: Seen) -> tuple[list[int], list[Tensor]]:
        """How many tokens each picture has, and their embeddings [(T, D)]."""
        shown = [self.language_model.embed(torch.zeros(0, dtype=torch.long, device=self.language_model.device))
                 if tower is None else self.language_model.project(tower) for tower in seen.towers]
        return [len(one) for one in shown], shown

    def read(self, tokens: Tokens, shown: Sequence[Tensor], seen: Seen) -> Read:
        """Embeddings and positions of a dialogue, ``shown`` as of ``picture_tokens``."""
        model = self.language_model
        ids = tokens.ids.to(model.device)
        embeds = model.embed(ids)
        embeds = _scatter(embeds, ids == model.image_id, [shown[number] for number in tokens.pictures])
        embeds = _scatter(embeds, ids == model.object_id, [self._objects(entry, seen) for entry in tokens.objects])
        grids = [seen.towers[number].grid for number in tokens.pictures if seen.towers[number].grid is not None]
        positions = model.position_ids(ids[None], torch.ones_like(ids)[None], grids)
        return Read(embeds, positions.reshape(*positions.shape[:-2], -1))

    def _objects(self, entry, seen: Seen) -> Tensor:
        if isinstance(entry, PointedObject):
            return self.object_projector(entry.query[None], entry.box[None], entry.mask_embed[None], 1)
        found = seen.objects[entry]
        return self.object_projector(found.queries, found.boxes, found.mask_embeds, self.num_objects)

    def forward(self, dialogues: Sequence[Read], side: str = 'right') -> list[Tensor]:
        """States [(L, D)] of dialogues that run as one batch, padded at one ``side``."""
        width = max(len(one.embeds) for one in dialogues)
        embeds, masks, positions = [], [], []
        for one in dialogues:
            gap = width - len(one.embeds)
            pad = (0, gap) if side == 'right' else (gap, 0)
            embeds.append(nn.functional.pad(one.embeds, (0, 0, *pad)))
            positions.append(nn.functional.pad(one.positions, pad))
            masks.append(nn.functional.pad(torch.ones(len(one.embeds), dtype=torch.long, device=one.embeds.device),
                                           pad))
        states = self.language_model.run(torch.stack(embeds), torch.stack(masks), torch.stack(positions, -2))
        return [row[mask.bool()] for row, mask in zip(states, masks)]


def _scatter(embeds: Tensor, where: Tensor, rows: Sequence[Tensor]) -> Tensor:
    """Embeddings (L, D) in which the tokens ``where`` (L,) are those of ``rows`` [(n, D)]."""
    if not rows:
        return embeds
    return embeds.masked_scatter(where[:, None], torch.cat(list(rows)).to(embeds.dtype))

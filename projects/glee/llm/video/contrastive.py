"""Object contrastive loss: expressions of one object are alike, those of others are not (GLUS)."""
from collections import deque
from typing import Hashable, NamedTuple, Optional, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


class SaidObject(NamedTuple):
    """Where an embedding comes from: names of data set, video and expression, number of the frame, its objects."""
    dataset: Hashable
    video: Hashable
    expression: Hashable
    frame: int
    objects: frozenset


class ObjectContrastiveLoss:
    """A bank of embeddings of [SEG] and the loss of new ones with it.

    Positive is an embedding of another expression of the same objects in the same frame; negatives are all others
    but those of the same expression and, unless ``glus_exact``, those of the same objects in other frames.

    Args:
        size (int): embeddings kept, the latest.
        negatives (int): drawn, with replacement, per embedding.
        tau (float): temperature.
        weight (float): of the loss.
        min_negatives (int): an embedding with fewer to draw from is left out; ``negatives`` in GLUS.
        glus_exact (bool): as in the reference, embeddings of the same objects in other frames are negatives.
        seed (int): of the draws.
    """

    def __init__(self, size: int = 512, negatives: int = 128, tau: float = 0.07, weight: float = 0.1,
                 min_negatives: int = 128, glus_exact: bool = False, seed: int = 0) -> None:
        self.negatives, self.tau, self.weight = negatives, tau, weight
        self.min_negatives, self.glus_exact = min_negatives, glus_exact
        self.kept: deque[tuple[SaidObject, Tensor]] = deque(maxlen=size)
        self.generator = torch.Generator().manual_seed(seed)

    def candidates(self, source: SaidObject) -> tuple[list[int], list[int]]:
        """Places in the bank of the positives and of the negatives of an embedding."""
        positives, negatives = [], []
        for place, (other, _) in enumerate(self.kept):
            same_video = (other.dataset, other.video) == (source.dataset, source.video)
            if same_video and other.expression == source.expression:
                continue
            same_objects = same_video and other.objects == source.objects
            if same_objects and other.frame == source.frame:
                positives.append(place)
            elif not same_objects or self.glus_exact:
                negatives.append(place)
        return positives, negatives

    def __call__(self, embeds: Tensor, sources: Sequence[SaidObject]) -> Tensor:
        """Weighted mean loss of embeddings (M, C), which join the bank first; 0 where none has both kinds."""
        self.kept.extend(zip(sources, embeds.detach()))
        losses = [self._one(embed, source) for embed, source in zip(embeds, sources)]
        losses = [loss for loss in losses if loss is not None]
        return self.weight * torch.stack(losses).mean() if losses else embeds.sum() * 0.

    def _one(self, embed: Tensor, source: SaidObject) -> Optional[Tensor]:
        positives, negatives = self.candidates(source)
        if not positives or len(negatives) < max(self.min_negatives, 1):
            return None
        drawn = [positives[self._draw(len(positives), 1)[0]]]
        drawn += [negatives[place] for place in self._draw(len(negatives), self.negatives)]
        others = torch.stack([self.kept[place][1].to(embed) for place in drawn])
        logits = F.cosine_similarity(embed[None], others) / self.tau
        return logits.logsumexp(0) - logits[0]

    def _draw(self, count: int, number: int) -> list[int]:
        return torch.randint(count, (number, ), generator=self.generator).tolist()

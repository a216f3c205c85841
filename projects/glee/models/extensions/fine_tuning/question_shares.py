"""Which names a fine-tune has learned, and what two sets of weights found put together."""
from typing import Sequence

import torch
from mmengine.structures import InstanceData


def normal_name(name: str) -> str:
    """A name without what does not tell it from others: case and the number of blanks."""
    return ' '.join(name.lower().split())


def join_found(found: Sequence[InstanceData], positions: Sequence[Sequence[int]], most: int) -> InstanceData:
    """Detections of parts of a vocabulary as those of the whole, best first; what only some have (masks) is left out.

    Args:
        found (Sequence[InstanceData]): of each part, ``labels`` index its names.
        positions (Sequence[Sequence[int]]): of each part the positions of its names in the whole vocabulary.
        most (int): detections to keep.
    """
    common = set.intersection(*(set(part.keys()) for part in found))
    joined = InstanceData.cat([InstanceData(**{key: part[key] for key in sorted(common)}) for part in found])
    joined.labels = torch.cat([torch.as_tensor(places, device=part.labels.device)[part.labels]
                               for part, places in zip(found, positions)])
    return joined[joined.scores.sort(descending=True, stable=True).indices[:most]]

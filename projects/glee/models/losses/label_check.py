"""One check that every user of ground-truth labels shares."""
import torch
from torch import Tensor


def check_labels(labels: Tensor, num_names: int) -> None:
    """Raise ValueError unless labels, Long of any shape, index a vocabulary of ``num_names``.

    An index out of range would otherwise stop a GPU with a device assertion that names nothing.
    """
    if not labels.numel():
        return
    low, high = torch.stack(torch.aminmax(labels)).tolist()
    if low < 0 or high >= num_names:
        raise ValueError(f"gt labels {low}..{high} lie outside the vocabulary of the batch, which "
                         f"has {num_names} names: gt_instances.labels must index metainfo 'text'")

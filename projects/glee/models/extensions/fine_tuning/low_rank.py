"""Weights that change by a product of two thin matrices (LoRA, Hu et al., ICLR 2022)."""
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class LowRank(nn.Module):
    """Adds ``up @ down`` to a weight, which is zero at first; a kernel (out, in, h, w) counts as (out, in * h * w).

    Args:
        shape (torch.Size): of the weight, two dimensions or more.
        rank (int): columns of ``up`` and rows of ``down``.
    """

    def __init__(self, shape: torch.Size, rank: int) -> None:
        super().__init__()
        out, rest = shape[0], shape[1:].numel()
        self.up = nn.Parameter(torch.zeros(out, rank))
        self.down = nn.Parameter(torch.randn(rank, rest) * rest**-0.5)

    def forward(self, weight: Tensor) -> Tensor:
        """The changed weight, of the shape of ``weight``."""
        return weight + (self.up @ self.down).view_as(weight)


def make_low_rank(model: nn.Module, rank: int) -> None:
    """Freeze the matrices and kernels of a model that train and let a ``LowRank`` of each train in their place.

    Vectors (biases, norms) go on training as they are, and so do matrices that are no larger than their two factors.

    Args:
        model (nn.Module): changed in place; names of weights become those of ``torch.nn.utils.parametrize``.
        rank (int): of every change.
    """
    for module in list(model.modules()):
        for name, weight in list(module.named_parameters(recurse=False)):
            if weight.requires_grad and weight.ndim > 1 and _is_smaller(weight, rank):
                weight.requires_grad_(False)
                parametrize.register_parametrization(module, name, LowRank(weight.shape, rank).to(weight), unsafe=True)


def plain_names(model: nn.Module) -> dict[str, str]:
    """{name of a low-rank weight before ``make_low_rank``: name of the unchanged weight now}."""
    return {f'{path}.{name}'.removeprefix('.'): f'{path}.parametrizations.{name}.original'.removeprefix('.')
            for path, module in model.named_modules() if parametrize.is_parametrized(module)
            for name in module.parametrizations}


def _is_smaller(weight: Tensor, rank: int) -> bool:
    out, rest = len(weight), weight[0].numel()
    return rank * (out + rest) < out * rest

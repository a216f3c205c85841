"""Where the cells of a map are in the picture."""
import torch
from torch import Tensor


def cell_centres(height: int, width: int, device: torch.device, dtype: torch.dtype = torch.float32) -> Tensor:
    """Centres (height * width, 2) of all cells, row by row: xy in 0..1.

    mmdet's ``get_encoder_reference_points`` gives the same numbers by ``linspace``, which ``torch.export`` can only
    record for one size.
    """
    y, x = torch.meshgrid(*((torch.arange(side, device=device, dtype=dtype) + 0.5) / side for side in (height, width)),
                          indexing='ij')
    return torch.stack([x, y], -1).flatten(0, 1)

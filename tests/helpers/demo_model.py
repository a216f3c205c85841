"""A tiny inferencer with random weights, and drawings as the demo page gives them."""
import numpy as np
import torch

from projects.glee.apis import GLEEInferencer
from projects.glee.apis.model_names import config_of

GREEN, RED = (0, 190, 90, 128), (230, 40, 40, 128)  # half transparent


def tiny_glee() -> GLEEInferencer:
    """Scores of names are about 0.44, masks are neither empty nor full."""
    cfg = config_of('glee_mini')
    cfg.model.panoptic_head.num_queries = 12
    torch.manual_seed(0)
    glee = GLEEInferencer(cfg, device='cpu')
    with torch.no_grad():
        glee.model.panoptic_head.align_bias.zero_()
        for parameter in glee.model.panoptic_head.mask_head.parameters():
            parameter.mul_(3)
    return glee


def drawing(shape, *rectangles, colour=GREEN):
    """A transparent layer (h, w, 4) with painted (x1, y1, x2, y2)."""
    layer = np.zeros((*shape, 4), np.uint8)
    for x1, y1, x2, y2 in rectangles:
        layer[y1:y2, x1:x2] = colour
    return layer

"""Where the queries of the best detections look."""
import inspect
from dataclasses import dataclass
from typing import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from ..visualization.contact_sheet import contact_sheet
from ..visualization.renderer import DrawnObject, Renderer, colour_of
from .interactive_session import InteractiveSession

STRONG = 0.02  # share of its heaviest point below which a point is not drawn
SIDE = 640  # px of the longer side of a drawn picture, at least


@dataclass(frozen=True)
class QueryLook:
    """One detection and the points of the picture that its query reads in the last layer of the decoder.

    Attributes:
        name, score: of the detection.
        box: (4,) xyxy px of the picture.
        points: (N, 2) xy px of the picture, of all heads, levels and samples; some lie outside.
        weights: (N,), they sum to the number of heads.
    """
    name: str
    score: float
    box: np.ndarray
    points: np.ndarray
    weights: np.ndarray


@torch.no_grad()
def look_of_queries(session: InteractiveSession, names: Sequence[str], count: int) -> list[QueryLook]:
    """Find the best queries of a picture, each with its best name, and where they look.

    Args:
        session: with a picture.
        names: what is asked for.
        count: how many queries.
    """
    head, image, seen = session.model.panoptic_head, session.image, {}

    def keep(attention, args: tuple, kwargs: dict) -> None:
        given = inspect.signature(attention.forward).bind(*args, **kwargs).arguments
        query, position = given['query'], given['query_pos']
        seen['locations'], seen['weights'] = attention.samples(
            query if position is None else query + position, given['reference_points'], given['sizes'])

    hook = head.decoder.layers[-1].cross_attn.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        last = head.decode(image.feats, head.encode_names(tuple(names)), last_only=True).last(0)
    finally:
        hook.remove()
    scores, labels = last['logits'].float().sigmoid().max(-1)
    height, width = image.sample.batch_input_shape
    found = []
    for query in scores.argsort(descending=True, stable=True)[:count].tolist():
        centre, side = last['boxes'][query].float().split(2)
        corners = torch.stack([centre - side / 2, centre + side / 2])
        box, points = (_in_picture(part.reshape(-1, 2), (width, height), image.matrix)
                       for part in (corners, seen['locations'][0, query]))
        found.append(QueryLook(names[int(labels[query])], float(scores[query]), box.reshape(4), points,
                               seen['weights'][0, query].flatten().float().cpu().numpy()))
    return found


def _in_picture(points: Tensor, size: tuple[int, int], matrix: np.ndarray) -> np.ndarray:
    """Points (N, 2), 0..1 of the padded input of a ``size`` px, in px of the original picture."""
    resized = points.float().cpu().numpy() * size
    return (np.c_[resized, np.ones(len(resized))] @ np.linalg.inv(matrix).T)[:, :2]


def draw_looks(picture: np.ndarray, looks: Sequence[QueryLook]) -> np.ndarray:
    """A sheet with one copy of the picture (RGB uint8 (H, W, 3)) per detection: its box and its points, by weight."""
    renderer, drawn = Renderer(min_side=SIDE), []
    for key, look in enumerate(looks):
        canvas = renderer(picture, [DrawnObject(look.box, label=f'{look.name} {look.score:.2f}', key=key)])
        factor, strongest = canvas.shape[1] / picture.shape[1], look.weights.max()
        layer = canvas.copy()
        for (x, y), weight in sorted(zip(look.points.tolist(), look.weights.tolist()), key=lambda item: item[1]):
            if weight > STRONG * strongest:
                radius = 1 + round(SIDE / 80 * (weight / strongest) ** 0.5)
                cv2.circle(layer, (round(x * factor), round(y * factor)), radius, colour_of(key), -1, cv2.LINE_AA)
        drawn.append(cv2.addWeighted(layer, 0.7, canvas, 0.3, 0))
    return contact_sheet(drawn, columns=min(3, len(drawn)), height=360)

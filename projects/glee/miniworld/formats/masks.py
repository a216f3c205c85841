"""Masks as COCO and YouTube-VIS write them: polygons and run-length encodings."""
import cv2
import numpy as np
from pycocotools import mask as mask_utils

_ZOOM = 4


def mask_to_rle(mask: np.ndarray) -> dict:
    """COCO's compressed run-length encoding of a bool (H, W) mask, `counts` a str."""
    rle = mask_utils.encode(np.asfortranarray(mask, np.uint8))
    return {'size': [int(side) for side in rle['size']], 'counts': rle['counts'].decode()}


def mask_to_counts(mask: np.ndarray) -> dict:
    """Uncompressed run-length encoding, as YouTube-VIS has it: `counts` a list, background first."""
    flat = mask.ravel(order='F')
    turns = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], turns, [flat.size]])).tolist()
    return {'size': list(mask.shape), 'counts': ([0] if flat[0] else []) + runs}


def polygons_to_mask(polygons: list, height: int, width: int) -> np.ndarray:
    """Bool (height, width): what COCO's rasteriser fills of polygons as `mask_to_polygons` returns them."""
    return mask_utils.decode(mask_utils.frPyObjects(polygons, height, width)).any(2)


def mask_to_polygons(mask: np.ndarray, tolerance: float = 0.4) -> list:
    """Polygons of a mask, as COCO's `segmentation` holds them.

    COCO polygons know no holes, so a hole is joined to its outer ring by a cut of zero width, which
    rasterisers fill correctly. This keeps every annotation a polygon: mmdet's
    `LoadAnnotations(poly2mask=False)` ignores objects whose mask is an RLE.

    Args:
        mask (np.ndarray): bool (H, W), not empty.
        tolerance (float): how far a polygon may leave the pixel edges, px.

    Returns:
        list[list[float]]: per part x, y, x, y, ... in px, where pixel (0, 0) covers 0..1.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    crop = mask[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1].astype(np.uint8)
    # Contours run through pixel centres; on a finer grid they come near the pixel edges.
    fine = cv2.resize(crop, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_NEAREST)
    contours, hierarchy = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    contours = [_simplify(contour, tolerance * _ZOOM) for contour in contours]
    polygons = []
    for index, (_, _, hole, parent) in enumerate(hierarchy[0]):
        if parent >= 0:
            continue
        ring = contours[index]
        while hole >= 0:
            ring = _cut_to_hole(ring, contours[hole])
            hole = hierarchy[0][hole][0]
        ring = (ring + 0.5) / _ZOOM + (columns[0], rows[0])
        polygons.append([round(float(value), 2) for value in ring.ravel()])
    return polygons


def _simplify(contour: np.ndarray, tolerance: float) -> np.ndarray:
    """Fewer corners, float (N, 2); a part too thin for that keeps all of its own."""
    simple = cv2.approxPolyDP(contour, tolerance, True)
    return (simple if len(simple) > 2 else contour)[:, 0].astype(float)


def _cut_to_hole(ring: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """One ring that walks the outer ring, a cut, the hole and the cut back."""
    distance = ((ring[:, None] - hole[None])**2).sum(-1)
    start, entry = np.unravel_index(distance.argmin(), distance.shape)
    walk = np.concatenate([hole[entry:], hole[:entry + 1]])
    return np.concatenate([ring[:start + 1], walk, ring[start:]])

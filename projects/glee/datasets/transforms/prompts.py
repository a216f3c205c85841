"""Visual prompts of a sample: made from ground truth, moved with the image."""
from typing import Dict, List, Optional

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.mask import PolygonMasks

from ...prompts.samplers import SAMPLERS, check_kinds, sample_mask, sample_prompt
from ...prompts.warping import warp_mask
from ...utils.rng import counter_of
from .geometry import RasterizeMasks


@TRANSFORMS.register_module()
class SimulatePrompts(BaseTransform):
    """Makes a visual prompt for each object of a sample (SEEM's samplers; DESIGN section 4, ``prompts``).

    Needs masks and comes after every transform that drops objects (crops, FilterObjects). What is drawn in
    pixels of that moment is moved to the final image by :class:`WarpPrompts`, if resizes or flips follow.
    An object below ten pixels is prompted by its mask.

    Args:
        kinds (dict[str, float]): weights of 'point', 'box', 'polygon', 'scribble', 'circle', 'mask'.
        max_objects (int, optional): most prompted objects of an image, drawn at random; None takes all.
        max_points (int): most clicks of one 'point' prompt.
        original (bool): annotations are in pixels of the original image although the image has been
            transformed (test pipelines load them after the resize), so prompts are drawn there.
        seed (int, optional): the prompts of an image depend on this and its ``img_id`` alone; None
            draws from numpy's global stream.

    Raises:
        KeyError: the sample has no masks.
    """

    def __init__(self, kinds: Dict[str, float], max_objects: Optional[int] = None, max_points: int = 1,
                 original: bool = False, seed: Optional[int] = None) -> None:
        check_kinds(kinds, 'SimulatePrompts')
        self.names = list(kinds)
        self.weights = np.array(list(kinds.values()), dtype=np.float64) / sum(kinds.values())
        self.max_objects = max_objects
        self.max_points = max_points
        self.original = original
        self.seed = seed

    def transform(self, results: dict) -> dict:
        """Add ``prompts``: dict of ``masks`` (P, H, W) bool, ``kinds`` and ``object_ids`` (P,)."""
        if 'gt_masks' not in results:
            raise KeyError(f'sample {results.get("img_path")} has no masks to make prompts from: load them with '
                           'LoadInstances(with_mask=True) before SimulatePrompts')
        rng = self._generator(results)
        masks = self._bitmaps(results)
        objects = np.flatnonzero(masks.reshape(len(masks), -1).any(1))
        if self.max_objects is not None and len(objects) > self.max_objects:
            objects = np.sort(rng.choice(objects, self.max_objects, replace=False))
        drawn: List[np.ndarray] = []
        kinds: List[str] = []
        for mask in masks[objects]:
            name = self.names[rng.choice(len(self.names), p=self.weights)]
            prompt = sample_prompt(name, mask, rng, **self._options(name))
            drawn.append(sample_mask(mask, rng) if prompt is None else prompt)
            kinds.append('mask' if prompt is None else SAMPLERS[name][1])
        shape = masks.shape[1:]
        results['prompts'] = dict(
            masks=np.stack(drawn) if drawn else np.zeros((0, *shape), dtype=bool), kinds=kinds, object_ids=objects,
            drawn_at=None if self.original else current_matrix(results))
        return results

    def _options(self, name: str) -> dict:
        return dict(max_points=self.max_points) if name == 'point' else {}

    def _generator(self, results: dict) -> np.random.Generator:
        if self.seed is None:
            return np.random.default_rng(np.random.randint(2**31, size=2))
        return np.random.default_rng([self.seed, counter_of(results['img_id'])])

    @staticmethod
    def _bitmaps(results: dict) -> np.ndarray:
        masks = results['gt_masks']
        if isinstance(masks, PolygonMasks):
            masks = RasterizeMasks().transform(dict(gt_masks=masks))['gt_masks']
        return masks.masks.astype(bool)


def current_matrix(results: dict) -> np.ndarray:
    """3 x 3 map from pixels of the original image to those of the image as it is now."""
    matrix = results.get('homography_matrix')
    return np.eye(3) if matrix is None else np.asarray(matrix, dtype=np.float64)


@TRANSFORMS.register_module()
class WarpPrompts(BaseTransform):
    """Moves ``prompts`` from the image they were drawn on to the image as it is now.

    Any flips, resizes and crops in between are followed, nearest neighbour at pixel centres. An object
    whose prompt leaves the image is dropped; a prompt that the resize swallowed keeps its centre pixel.
    """

    def transform(self, results: dict) -> dict:
        """Replace the masks by (P, H', W') ones."""
        prompts = results.get('prompts')
        if prompts is None:
            return results
        start = prompts['drawn_at']
        matrix = current_matrix(results) @ np.linalg.inv(np.eye(3) if start is None else start)
        shape = results['img_shape'][:2]
        warped = [warp_mask(mask, matrix, shape) for mask in prompts['masks']]
        kept = [index for index, mask in enumerate(warped) if mask.any()]
        results['prompts'] = dict(
            masks=np.stack([warped[index] for index in kept]) if kept else np.zeros((0, *shape), dtype=bool),
            kinds=[prompts['kinds'][index] for index in kept], object_ids=prompts['object_ids'][kept],
            drawn_at=current_matrix(results))
        return results

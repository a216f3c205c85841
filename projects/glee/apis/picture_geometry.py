"""A picture from a program at the size the model wants: what the config's test pipeline does to its geometry."""
from typing import NamedTuple

import numpy as np
from mmcv.transforms import Compose
from mmengine.config import Config

# What a test pipeline has beside geometry: reading, describing and packing.
_NO_GEOMETRY = ('Load', 'Pack', 'SetSource', 'Check')


class ModelPicture(NamedTuple):
    """``pixels``: BGR uint8 (h, w, 3). ``matrix``: (3, 3) from pixels of the original picture to those."""
    pixels: np.ndarray
    matrix: np.ndarray


class PictureGeometry:
    """Resizes (and pads) pictures as the test pipeline of a config does.

    Args:
        cfg (Config): with ``test_dataloader``.

    Raises:
        ValueError: the config has no test pipeline.
    """

    def __init__(self, cfg: Config) -> None:
        dataset = (cfg.get('test_dataloader') or {}).get('dataset')
        while dataset is not None and 'pipeline' not in dataset and 'dataset' in dataset:
            dataset = dataset['dataset']  # a wrapper
        if dataset is None or 'pipeline' not in dataset:
            raise ValueError(f'config {cfg.filename} has no test_dataloader.dataset.pipeline, which says at what size '
                             'the model wants pictures: take a config that tests')
        self.transforms = Compose([step for step in dataset['pipeline']
                                   if not step['type'].rpartition('.')[2].startswith(_NO_GEOMETRY)])

    def __call__(self, picture: np.ndarray) -> ModelPicture:
        """RGB uint8 (H, W, 3) as the model wants it."""
        shape = picture.shape[:2]
        results = self.transforms(dict(img=np.ascontiguousarray(picture[..., ::-1]), img_shape=shape, ori_shape=shape,
                                       height=shape[0], width=shape[1], instances=[]))
        matrix = np.asarray(results.get('homography_matrix', np.eye(3)), np.float64)
        return ModelPicture(results['img'], matrix)

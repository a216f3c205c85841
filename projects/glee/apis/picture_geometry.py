"""A picture from a program at the size the model wants: what the config's test pipeline does to its geometry."""
from typing import NamedTuple, Optional, Sequence, Union

import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor, nn

# What a test pipeline has beside geometry: reading, describing, prompting and packing.
_NO_GEOMETRY = ('Load', 'Check', 'SetSource', 'CleanExpressions', 'FirstMaskPrompts', 'WarpPrompts', 'Pack')


class ModelPicture(NamedTuple):
    """``inputs``: BGR uint8 (3, h, w). ``shape``: height and width of its content, which may be padded.
    ``matrix``: (3, 3) float64, from pixels of the original picture to those of ``inputs``."""
    inputs: Tensor
    shape: tuple[int, int]
    matrix: np.ndarray


class PictureGeometry:
    """Resizes (and pads) pictures by some transforms.

    Args:
        transforms (Sequence[dict]): configs of transforms of pictures.
    """

    def __init__(self, transforms: Sequence[dict]) -> None:
        with DefaultScope.overwrite_default_scope('mmdet'):
            self.transforms = Compose(list(transforms))

    @classmethod
    def of_scale(cls, scale: tuple[int, int]) -> 'PictureGeometry':
        """Longest and shortest side at most ``scale``, px, in any order."""
        return cls([dict(type='PillowResize', scale=tuple(scale), keep_ratio=True)])

    @classmethod
    def of_config(cls, cfg: Config) -> 'PictureGeometry':
        """As the test pipeline of a config does, of images or of the frames of videos.

        Raises:
            ValueError: the config has no test pipeline.
        """
        dataset = (cfg.get('test_dataloader') or {}).get('dataset')
        while dataset is not None and 'pipeline' not in dataset and 'dataset' in dataset:
            dataset = dataset['dataset']  # a wrapper
        if dataset is None or 'pipeline' not in dataset:
            raise ValueError(f'config {cfg.filename} has no test_dataloader.dataset.pipeline, which says at what size '
                             'the model wants pictures: take a config that tests')
        steps = [step for outer in dataset['pipeline']
                 for step in (outer['transforms'] if outer['type'] == 'ForEachFrame' else [outer])]
        return cls([step for step in steps if not step['type'].rpartition('.')[2].startswith(_NO_GEOMETRY)])

    @classmethod
    def of_model(cls, model: nn.Module,
                 scale: Optional[Union[tuple[int, int], 'PictureGeometry']] = None) -> 'PictureGeometry':
        """That of the config that ``init_model`` left at the model, or of ``scale`` where one is given (or ``scale``).

        Raises:
            ValueError: there is neither, or it does not give the one shape that the backbone can read.
        """
        if scale is None and getattr(model, 'cfg', None) is None:
            raise ValueError('the model has no cfg that says at what size it wants pictures: build it with init_model '
                             'or give scale=')
        if isinstance(scale, cls):
            geometry = scale
        else:
            geometry = cls.of_config(model.cfg) if scale is None else cls.of_scale(scale)
        if getattr(getattr(model, 'backbone', None), 'wants_squares', False):
            height, width = geometry(np.zeros((2, 3, 3), np.uint8)).inputs.shape[-2:]
            if height != width:
                source, cure = 'the test pipeline of the config', "end its resizing with dict(type='PadSquare', ...)"
                if scale is not None:
                    source, cure = f'scale={scale}', 'leave it out, the test pipeline of the config makes squares'
                raise ValueError(
                    f'{source} makes {width} x {height} px of a picture of 3 x 2, but {type(model.backbone).__name__} '
                    f'knows the places of its tokens only in squares: {cure}')
        return geometry

    def __call__(self, picture: np.ndarray) -> ModelPicture:
        """RGB uint8 (H, W, 3) as the model wants it."""
        shape = picture.shape[:2]
        results = self.transforms(dict(img=np.ascontiguousarray(picture[..., ::-1]), img_shape=shape, ori_shape=shape))
        return ModelPicture(torch.from_numpy(np.ascontiguousarray(results['img'].transpose(2, 0, 1))),
                            tuple(results['img_shape'][:2]),
                            np.asarray(results.get('homography_matrix', np.eye(3)), np.float64))

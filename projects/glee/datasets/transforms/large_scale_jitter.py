"""Large-scale jittering into a grey square, the augmentation of GLEE-Pro (DESIGN section 6)."""
from mmcv.transforms import BaseTransform, RandomResize
from mmdet.datasets.transforms import Pad
from mmdet.registry import TRANSFORMS

from .geometry import BoxesFromMasks, CropWindow, PillowResize, RasterizeMasks


@TRANSFORMS.register_module()
class PadSquare(Pad):
    """mmdet's ``Pad`` at the right and bottom, which leaves ``img_shape`` at the size of the content.

    So predictions are cut and scaled as they are with padding inside the data preprocessor; this one
    comes before normalisation.

    Args:
        size (int): side of the square in pixels.
        pad_value (int): grey level of the padding; masks get 0.

    Raises:
        ValueError: the image does not fit.
    """

    def __init__(self, size: int = 1536, pad_value: int = 128) -> None:
        super().__init__(size=(size, size), pad_val=dict(img=(pad_value, ) * 3, masks=0))

    def transform(self, results: dict) -> dict:
        """Pad ``img`` and ``gt_masks``."""
        shape = results['img'].shape[:2]
        if max(shape) > self.size[0]:
            raise ValueError(f'{results.get("img_path")}: {shape[0]} x {shape[1]} px do not fit into a PadSquare '
                             f'of {self.size[0]}: resize or crop it before')
        results = super().transform(results)
        results['img_shape'] = shape
        return results


@TRANSFORMS.register_module()
class JitterScale(BaseTransform):
    """The first half of large-scale jittering: resize by a random scale.

    With a text that counts objects (``keep_whole``, see :class:`UnlessOrdinal`) the image only shrinks,
    so that nothing is cut off afterwards.

    Args:
        size (int): side of the square in pixels.
        ratio_range (tuple[float, float]): longest side of the resized image relative to ``size``.
    """

    def __init__(self, size: int = 1536, ratio_range: tuple[float, float] = (0.1, 2.0)) -> None:
        low, high = ratio_range
        self.resize, self.shrink = (
            RandomResize((size, size), ratio_range=ratios, resize_type=PillowResize, keep_ratio=True)
            for ratios in ((low, high), (low, min(high, 1.0))))

    def transform(self, results: dict) -> dict:
        """Change picture, boxes and masks."""
        return (self.shrink if results.get('keep_whole', False) else self.resize)(results)


@TRANSFORMS.register_module()
class FitSquare(BaseTransform):
    """The second half: crop a random window where the image is too large, pad to a square.

    Masks become bitmaps and boxes follow them, if there are any.

    Args:
        size (int): side of the square in pixels.
        pad_value (int): grey level of the padding.
    """

    def __init__(self, size: int = 1536, pad_value: int = 128) -> None:
        self.crop = CropWindow((size, size), crop_type='absolute')
        self.pad = PadSquare(size, pad_value)
        self.rasterize = RasterizeMasks()
        self.boxes_from_masks = BoxesFromMasks()

    def transform(self, results: dict) -> dict:
        """Change picture, boxes and masks."""
        results = self.pad(self.crop(results))
        if 'gt_masks' in results:
            results = self.boxes_from_masks(self.rasterize(results))
        return results


@TRANSFORMS.register_module()
class LargeScaleJitter(BaseTransform):
    """``JitterScale`` and ``FitSquare``. Clips take the two apart: one scale, but a window per frame.

    Args:
        size, ratio_range, pad_value: as of the two.
    """

    def __init__(self, size: int = 1536, ratio_range: tuple[float, float] = (0.1, 2.0), pad_value: int = 128) -> None:
        self.scale = JitterScale(size, ratio_range)
        self.fit = FitSquare(size, pad_value)

    def transform(self, results: dict) -> dict:
        """Change picture, boxes and masks; masks become bitmaps."""
        return self.fit(self.scale(results))

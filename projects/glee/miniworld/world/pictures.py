"""Annotated pictures: scenes drawn from a seed, with what can be seen of each object."""
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from ..formats.masks import mask_to_polygons
from .render import render
from .scene import Scene, SceneObject, SceneSampler, visible_masks

# One random stream per split: splits share no scene, and image i of a split does not depend on how
# many images are written. Streams and purposes start at 1 because SeedSequence ignores trailing 0.
STREAMS = {
    name: number
    for number, name in enumerate(
        (f'{source}_{split}' for source in (
            'coco', 'objects365', 'openimages', 'bdd_det', 'bdd_inst', 'visual_genome', 'grit', 'uvo_frames', 'sa1b',
            'ytvis19', 'ytvis21', 'ovis', 'uvo_video', 'lvvis', 'ytvos', 'mose', 'davis', 'mevis', 'bdd_box_track',
            'bdd_seg_track', 'tao', 'ref_ytvos', 'ref_davis', 'reasoning', 'look_alikes', 'omnilabel', 'odinw_thermal',
            'odinw_night', 'odinw_aerial', 'odinw_insects', 'odinw_mushrooms', 'coco_test', 'revos', 'reason_vos',
            'stop_and_go')
         for split in ('train', 'val')), 1)
}
PURPOSES = {'scene': 1, 'federation': 2, 'refcoco': 3, 'refcoco+': 4, 'refcocog': 5, 'names': 6, 'motion': 7,
            'expressions': 8, 'reasoning': 9, 'descriptions': 10, 'look': 11}


@dataclass(frozen=True)
class VisibleObject:
    """What can be seen of an object.

    Args:
        obj (SceneObject): the whole object.
        bbox (tuple[int]): x, y, width, height of the visible region, px.
        area (int): visible pixels.
        segmentation (list[list[float]]): polygons of the visible region.
        visible (float): visible / whole area.
    """
    obj: SceneObject
    bbox: tuple
    area: int
    segmentation: list
    visible: float

    @property
    def centre(self) -> tuple:
        """x, y of the centre of the visible box, px."""
        x, y, width, height = self.bbox
        return x + width / 2, y + height / 2


@dataclass(frozen=True)
class Picture:
    """An image of the world.

    Args:
        stream (str): one of `STREAMS`.
        seed (int): seed of the world.
        index (int): position in the stream.
        image_id (int): unique over the streams of a data set.
        first_ann_id (int): annotation id of the first object; the others follow.
        scene (Scene): what is drawn.
        objects (tuple[VisibleObject]): in depth order, the last in front.
    """
    stream: str
    seed: int
    index: int
    image_id: int
    first_ann_id: int
    scene: Scene
    objects: tuple

    def rng(self, purpose: str) -> np.random.Generator:
        """The random numbers of this picture for one purpose."""
        return stream_rng(self.seed, self.stream, self.index, purpose)

    @cached_property
    def annotations(self) -> list:
        """(annotation id, VisibleObject) pairs."""
        return list(enumerate(self.objects, self.first_ann_id))

    def encode(self) -> bytes:
        """The picture as JPEG without chroma subsampling (small objects keep their colour)."""
        return encode_scene(self.scene)


def encode_scene(scene: Scene, extension: str = '.jpg') -> bytes:
    """A scene as an image file, see `encode_image`."""
    return encode_image(render(scene), extension)


def encode_image(image: np.ndarray, extension: str) -> bytes:
    """A picture (RGB uint8) as a file; JPEG without chroma subsampling (small objects keep their colour).

    Raises:
        RuntimeError: OpenCV cannot write the format of `extension`.
    """
    flags = [
        cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    ] if extension == '.jpg' else []
    done, data = cv2.imencode(extension, image[..., ::-1], flags)
    if not done:
        raise RuntimeError(f'OpenCV could not encode a picture as {extension}')
    return data.tobytes()


def stream_rng(seed: int, stream: str, index: int, purpose: str) -> np.random.Generator:
    """The random numbers of item `index` of a stream for one purpose."""
    return np.random.default_rng([seed, STREAMS[stream], index, PURPOSES[purpose]])


def see(scene: Scene) -> tuple:
    """The visible objects of a scene."""
    whole = [visible_masks([obj], scene.height, scene.width)[0] for obj in scene.objects]
    seen = []
    masks = visible_masks(scene.objects, scene.height, scene.width)
    for obj, mask, full in zip(scene.objects, masks, whole):
        x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
        area = int(mask.sum())
        seen.append(
            VisibleObject(
                obj=obj,
                bbox=(x, y, width, height),
                area=area,
                segmentation=mask_to_polygons(mask),
                visible=area / int(full.sum())))
    return tuple(seen)


def take_pictures(stream: str, seed: int, count: int, first_image_id: int = 1,
                  first_ann_id: int = 1, sampler: SceneSampler = None):
    """Draws the first `count` pictures of a stream.

    Args:
        stream (str): one of `STREAMS`.
        seed (int): seed of the world, at least 0.
        count (int): number of pictures.
        first_image_id, first_ann_id (int): where the ids of this stream start.
        sampler (SceneSampler): None is the default world.

    Yields:
        Picture: in order.
    """
    sampler = sampler or SceneSampler()
    for index in range(count):
        scene = sampler(stream_rng(seed, stream, index, 'scene'))
        picture = Picture(stream, seed, index, first_image_id + index, first_ann_id, scene,
                          see(scene))
        first_ann_id += len(picture.objects)
        yield picture

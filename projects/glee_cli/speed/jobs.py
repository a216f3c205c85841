"""What is timed: one call of each job, with everything that it reads ready."""
import itertools
from functools import partial
from typing import Callable, NamedTuple, Sequence

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from torch import Tensor

from projects.glee.apis import GLEEInferencer, InteractiveSession
from projects.glee.apis.picture_geometry import PictureGeometry
from projects.glee.datasets.vocabularies import load_vocabulary

_LOOKS = ('', 'red ', 'small ', 'wooden ', 'old ', 'shiny ', 'striped ', 'broken ', 'wet ')


class Setting(NamedTuple):
    """``size``: (height, width) px of the picture as the model gets it. ``texts``: how many names or expressions.
    ``frames``: of the video. ``batch``, ``objects``, ``amp``: of the training step; the last is the precision of
    autocast, or None."""
    size: tuple[int, int]
    texts: int
    frames: int = 4
    batch: int = 2
    objects: int = 10
    amp: torch.dtype | None = None


def names_of(count: int) -> list[str]:
    """So many different names.

    Raises:
        ValueError: there are not so many.
    """
    plain = [name.replace('_', ' ') for name in load_vocabulary('lvis_v1')]
    names = list(itertools.islice(dict.fromkeys(look + name for look in _LOOKS for name in plain), count))
    if len(names) < count:
        raise ValueError(f'there are {len(names)} names, not {count}')
    return names


def picture_of(size: Sequence[int]) -> np.ndarray:
    """Noise, uint8 of (height, width, 3)."""
    return np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)


def inputs_of(glee: GLEEInferencer, setting: Setting, text: Sequence[str], mode: str, batch: int = 1,
            training: bool = False) -> tuple[Tensor, list[DetDataSample]]:
    """A padded batch; in training with boxes, masks and labels."""
    rng, (height, width) = np.random.default_rng(1), setting.size
    samples = []
    for _ in range(batch):
        sample = DetDataSample(metainfo=dict(
            text=tuple(text), text_mode=mode, img_shape=setting.size, ori_shape=setting.size,
            supervision=('semantic', 'box', 'mask'), source='coco', label_table='coco'))
        if training:
            corners = rng.uniform(0, 0.5, (setting.objects, 2))
            boxes = np.concatenate([corners, corners + rng.uniform(0.1, 0.5, corners.shape)], 1)
            boxes = boxes * [width, height, width, height]
            masks = np.zeros((setting.objects, height, width), np.uint8)
            for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int)):
                mask[y1:y2, x1:x2] = 1
            sample.gt_instances = InstanceData(
                bboxes=torch.tensor(boxes, dtype=torch.float32), masks=BitmapMasks(masks, height, width),
                labels=torch.tensor(rng.integers(0, len(text), setting.objects)))
        samples.append(sample)
    picture = torch.from_numpy(picture_of(setting.size).transpose(2, 0, 1).copy())
    data = glee.model.data_preprocessor(dict(inputs=[picture] * batch, data_samples=samples), False)
    return data['inputs'], data['data_samples']


def _predict(glee: GLEEInferencer, setting: Setting, text: Sequence[str], mode: str) -> Callable[[], object]:
    inputs, samples = inputs_of(glee, setting, text, mode)

    def call() -> object:
        with torch.no_grad():
            return glee.model.predict(inputs, samples)

    return call


def image(glee: GLEEInferencer, setting: Setting) -> Callable[[], object]:
    """One picture and a vocabulary."""
    return _predict(glee, setting, names_of(setting.texts), 'category')


def expressions(glee: GLEEInferencer, setting: Setting) -> Callable[[], object]:
    """One picture and some sentences, an object each."""
    return _predict(glee, setting, [f'the {name} on the left' for name in names_of(setting.texts)], 'expression')


def _session(glee: GLEEInferencer, setting: Setting,
             refine: str = 'exact') -> tuple[InteractiveSession, tuple[float, float]]:
    session = InteractiveSession(glee.model, scale=setting.size, refine=refine)
    session.set_image(picture_of(setting.size))
    return session, (setting.size[1] / 2, setting.size[0] / 2)


def first_click(glee: GLEEInferencer, setting: Setting) -> Callable[[], object]:
    """A click on a new object of a picture that the backbone has seen."""
    session, place = _session(glee, setting)
    return lambda: session.add(points=[place])


def further_click(glee: GLEEInferencer, setting: Setting, refine: str = 'exact') -> Callable[[], object]:
    """One more click on the same object."""
    session, place = _session(glee, setting, refine)
    found = session.add(points=[place])
    return lambda: session.refine(found.id, points=[place])


def video(glee: GLEEInferencer, setting: Setting) -> Callable[[], object]:
    """All frames of a short video, by names; frames are not resized from then on."""
    glee.geometry = PictureGeometry.of_scale(setting.size)
    frames = [np.roll(picture_of(setting.size), number, 1) for number in range(setting.frames)]
    names = names_of(setting.texts)
    return lambda: list(glee.track(frames, names=names))


def training(glee: GLEEInferencer, setting: Setting) -> Callable[[], object]:
    """Forward and backward pass and a step of AdamW, of weights in float32; the model is in training mode then."""
    model = glee.model.float()
    inputs, samples = inputs_of(glee, setting, names_of(setting.texts), 'category', setting.batch, True)
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 1e-6)
    model.train()

    def call() -> None:
        with torch.autocast(inputs.device.type, setting.amp, enabled=setting.amp is not None):
            losses = model.loss(inputs, samples)
        sum(value for key, value in losses.items() if 'loss' in key).backward()
        optimizer.step()
        optimizer.zero_grad()

    return call


JOBS = dict(image=image, expressions=expressions, first_click=first_click, further_click=further_click,
            further_click_decoder=partial(further_click, refine='decoder'), video=video, training=training)

"""Frozen GLEE: the objects of a picture and its pixel embeddings."""
import hashlib
from functools import cached_property
from typing import NamedTuple, Optional, Sequence, Union

import numpy as np
import torch
from mmdet.structures import DetDataSample
from torch import Tensor

from ..apis.init_model import init_model
from ..apis.model_names import config_of
from ..apis.picture_geometry import PictureGeometry
from ..models.language_models.text_prompt import encode_batch
from .object_prompt import ask_for, names_asked
from .picture_cache import PictureCache


class PictureObjects(NamedTuple):
    """What GLEE sees in a picture; the most certain object first.

    queries: (N, C) of the last decoder layer. boxes: (N, 4) cxcywh in 0..1 of the picture's content. scores: (N,) in
    0..1. labels: (N,) index of the best name. mask_embeds: (N, C), whose products with ``pixels`` are mask logits.
    pixels: (C, h, w) mask features. valid: height and width in 0..1 of the content within them.
    shape: height and width of the original, px.
    """
    queries: Tensor
    boxes: Tensor
    scores: Tensor
    labels: Tensor
    mask_embeds: Tensor
    pixels: Tensor
    valid: tuple[float, float]
    shape: tuple[int, int]

    def masks(self, count: Optional[int] = None) -> Tensor:
        """Mask logits (n, h, w) of the first objects."""
        return torch.einsum('nc,chw->nhw', self.mask_embeds[:count].float(), self.pixels.float())

    def first(self, count: int) -> 'PictureObjects':
        """The same picture with its most certain objects."""
        return self._replace(queries=self.queries[:count], boxes=self.boxes[:count], scores=self.scores[:count],
                             labels=self.labels[:count], mask_embeds=self.mask_embeds[:count])


class ObjectEncoder:
    """A GLEE that is never trained and never saved with what is built on it. It is built when it is first needed.

    Args:
        config (str): config of a GLEE with a test pipeline, or a name of the metafile.
        checkpoint (str | None): its weights; random ones without it.
        prompt (str | Sequence[str]): what it is asked for: 'object', 'coco', the names of COCO, 'expression', what the
            question about the picture seeks, or names.
        max_objects (int): objects kept of a picture.
        cached_mb (int): as of ``PictureCache``.
    """

    def __init__(self, config: str, checkpoint: Optional[str] = None, prompt: Union[str, Sequence[str]] = 'object',
                 max_objects: int = 100, cached_mb: int = 256) -> None:
        cfg = config_of(config)
        self._set(prompt, max_objects, cached_mb)
        self.config, self.checkpoint, self._cfg = str(config), checkpoint, cfg
        self.channels = cfg.model.panoptic_head.get('embed_dims', 256)  # C of queries and pixels

    @classmethod
    def of_model(cls, model, prompt: Union[str, Sequence[str]] = 'object', max_objects: int = 100,
                 cached_mb: int = 256) -> 'ObjectEncoder':
        """The encoder of a detector that is there already (``init_model``)."""
        encoder = cls.__new__(cls)
        encoder._set(prompt, max_objects, cached_mb)
        encoder.config, encoder.checkpoint = getattr(model.cfg, 'filename', None), None
        encoder.channels = model.panoptic_head.category_embed.shape[0]
        encoder.__dict__['model'] = model.eval().requires_grad_(False)
        return encoder

    def _set(self, prompt: Union[str, Sequence[str]], max_objects: int, cached_mb: int) -> None:
        self.prompt = prompt if isinstance(prompt, str) else tuple(prompt)
        self.names, self.max_objects, self.cache = names_asked(prompt), max_objects, PictureCache(cached_mb)

    @property
    def asks_expressions(self) -> bool:
        """Whether what it finds depends on the question."""
        return self.names is None

    @cached_property
    def model(self):
        """The detector."""
        return init_model(self._cfg, self.checkpoint).eval().requires_grad_(False)

    @cached_property
    def geometry(self) -> PictureGeometry:
        """The size at which it sees pictures."""
        return PictureGeometry.of_model(self.model)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the weights, by which a trained language model knows its GLEE."""
        return weights_fingerprint(self.model)

    def to(self, device: torch.device) -> 'ObjectEncoder':
        """Itself, on a device."""
        if self.model.panoptic_head.category_embed.device != device:
            self.model.to(device)
        return self

    def __call__(self, picture: np.ndarray, expression: str = '') -> PictureObjects:
        """RGB uint8 (H, W, 3), and what the question about it seeks; the same again costs no pass."""
        asked = expression if self.asks_expressions else ''
        return self.cache(picture, lambda seen: self.encode(seen, asked), asked)

    @torch.no_grad()
    def encode(self, picture: np.ndarray, expression: str = '') -> PictureObjects:
        """One pass of GLEE without the cache; floating-point results are float16 as they are kept.

        Raises:
            ValueError: as of ``ask_for``.
        """
        resized = self.geometry(picture)
        sample = DetDataSample(metainfo=dict(
            ask_for(self.names, expression)._asdict(), img_path=None, ori_shape=picture.shape[:2],
            img_shape=resized.shape))
        data = self.model.data_preprocessor(dict(inputs=[resized.inputs], data_samples=[sample]), False)
        head, sample = self.model.panoptic_head, data['data_samples'][0]
        text = encode_batch(head.text_encoder, [sample])
        outputs = head.decode(self.model.extract_feat(data['inputs']), text, last_only=True)
        last = outputs.last(0)
        scores, labels = last['logits'].float().sigmoid().max(-1)
        order = scores.argsort(descending=True, stable=True)[:self.max_objects]
        valid = tuple(side / full for side, full in zip(resized.shape, sample.batch_input_shape))
        boxes = last['boxes'][order].float() / last['boxes'].new_tensor([valid[1], valid[0]] * 2)
        return PictureObjects(
            queries=outputs.embeddings[0, order].half(), boxes=boxes.clamp(0, 1), scores=scores[order],
            labels=labels[order], mask_embeds=last['mask_embeds'][order].half(),
            pixels=outputs.mask_features[0].half(), valid=valid, shape=tuple(picture.shape[:2]))


def weights_fingerprint(model: torch.nn.Module) -> str:
    """SHA-256 (hex) of the names and values of all weights."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()

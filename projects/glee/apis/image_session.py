"""An image that passes the backbone once, and what is in it by name."""
from dataclasses import replace
from typing import Optional, Sequence, Union

import numpy as np
import torch

from ..structures.sample_text import as_names, read_names
from .image_result import ImageResult
from .picture_geometry import PictureGeometry
from .picture_source import Picture, find_pictures
from .session_image import SessionImage


class ImageSession:
    """Holds an image and its backbone features.

    Of a ``FineTunedGLEE`` the weights that know a name are asked for it, which takes a backbone pass of their own where
    the session's features are those of others.

    Args:
        model (GLEE): a detector; it is put into eval mode.
        scale (tuple[int, int] | None): longest and shortest side of the resized image, px; None takes the test
            pipeline of the config that ``init_model`` left at the model.
    """

    def __init__(self, model, scale: Optional[tuple[int, int]] = None) -> None:
        self.model = self.named = model.eval()
        self.head = model.panoptic_head
        self.geometry = PictureGeometry.of_model(model, scale)
        self._image: Optional[SessionImage] = None

    def set_image(self, image: Picture) -> None:
        """Start with an image, see ``find_pictures``: a path, an array, ... An earlier one is forgotten."""
        picture = next(find_pictures(image)).read()
        self.show(SessionImage.prepare(self.model, picture, self.geometry).encoded(self.model))

    def show(self, image: SessionImage) -> None:
        """Start with an image that has passed the backbone."""
        self._image = image

    def clear(self) -> None:
        """Let go of the image and its backbone features."""
        self._image = None

    @property
    def image(self) -> SessionImage:
        """The image as the model sees it.

        Raises:
            RuntimeError: no image is set.
        """
        if self._image is None:
            raise RuntimeError('no image is set: call set_image first')
        return self._image

    @torch.no_grad()
    def detect(self, names: Union[str, Sequence[str]], score_thr: float = 0.3, max_per_img: int = 100,
               nms_iou: Optional[float] = None) -> ImageResult:
        """Every object of some names, the best first; the backbone does not run again, unless the model is fine-tuned.

        Each can be made an object of the session: ``session.add(mask=found.masks[0])``.

        Args:
            names: a name or a list.
            score_thr, max_per_img, nms_iou: as of ``GLEEInferencer``, whose results these are.

        Raises:
            RuntimeError: no image is set.
            ValueError: a name is empty, or there is none.
        """
        names, sample = read_names(names, 'names'), self.image.sample.clone()
        sample.set_metainfo(dict(text=names, text_mode='category'))
        if self.named is self.model:
            selected = self.head.predict(self.image.feats, [sample], max_per_img=max_per_img)
            results = self.model.panoptic_fusion_head.predict(*selected, [sample])
            self.model.add_pred_to_datasample([sample], results)
        else:
            self.named.predict(self.image.batch, [sample], max_per_img=max_per_img)
        found = ImageResult.of_sample(sample, names).above(score_thr, nms_iou)
        return replace(found, image=self.image.picture)

    @torch.no_grad()
    def panoptic(self, things: Sequence[str], stuff: Sequence[str] = ()) -> tuple[np.ndarray, list[dict]]:
        """Everything in the image by name: a map (H, W) of segment ids, 0 where nothing is, and the segments.

        Each segment is dict(id, name, is_thing, score, area px). See ``PanopticFusion``.
        """
        image, things = self.image, as_names(things)
        names = read_names(things + as_names(stuff), 'the names of things and stuff')
        shares = self.named.share_names(names)
        detector = shares[0][0] if len(shares) == 1 else self.named.start  # all names of a picture compete
        feats = image.feats if detector is self.model else detector.extract_feat(image.batch)
        segments = detector.panoptic_head.predict_segments(feats, things, names[len(things):])
        found = self.model.panoptic_fusion_head.predict_maps(segments, image.sample.metainfo)['pan_results']
        panoptic, result = found.sem_seg[0].cpu().numpy(), []
        ids = np.zeros(panoptic.shape, dtype=np.int64)
        for number, segment in enumerate(found.segments_info, 1):
            ids[panoptic == segment['id']] = number
            result.append(dict(id=number, name=names[segment['label']], is_thing=segment['is_thing'],
                               score=segment['score'], area=segment['area']))
        return ids, result

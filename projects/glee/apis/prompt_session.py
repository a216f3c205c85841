"""What prompts on an image find, round by round; which objects there are is remembered elsewhere."""
from dataclasses import replace
from typing import Any, Callable, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.extensions.interactive.click_carving import carve
from ..models.prompts.prompt_decoder import DecodedObject
from ..models.prompts.reference_prompt import ReferencePrompt
from ..structures.masks import encode
from ..structures.pixel_features import PixelFeatures
from ..structures.prompted_objects import PromptedObjects
from ..structures.sample_text import read_names
from ..structures.selected_queries import SelectedQueries
from .image_session import ImageSession
from .object_encodings import ObjectEncodings
from .object_names import probability_of_names
from .session_objects import Round, SessionObject, distinct
from .user_prompt import Points, Prompt, UserPrompt, read_prompt

HISTORIES = ('tokens', 'prompts', 'none')
PROMPT_KEYS = frozenset(('points', 'boxes', 'polygons', 'scribbles', 'mask', 'mask_kind', 'text', 'audio', 'reference'))
CANDIDATE_IOU = 0.8  # candidates that overlap more show the same
MIN_IOU = 0.3  # a query of other weights that overlaps less is not the object
LIKE_WEIGHT = 0.25  # with 1 a wrong choice is repeated whatever the prompt says


class PromptSession(ImageSession):
    """Reads prompts on an image and decodes their objects; arguments as of ``InteractiveSession``, which is one."""

    def __init__(self, model, vocabulary: Optional[Sequence[str]], scale: Optional[tuple[int, int]],
                 vocabulary_in_fusion: bool, transcriber: Optional[Callable], carve_radius: float, history: str,
                 encodings: ObjectEncodings) -> None:
        if history not in HISTORIES:
            raise ValueError(f'history={history!r} is unknown; choose from {HISTORIES}')
        if getattr(model.panoptic_head, 'prompter', None) is None:
            raise ValueError('the model has no visual prompter: set panoptic_head.prompter in its config')
        super().__init__(model.answering('prompt'), scale)
        self.named = model.eval()
        self.vocabulary = None if vocabulary is None else read_names(vocabulary, 'vocabulary')
        self.vocabulary_in_fusion = vocabulary_in_fusion and vocabulary is not None
        self.transcriber = transcriber
        self.carve_radius = carve_radius
        self.history = history
        self.encodings = encodings

    # ---- what is asked ----
    def read(self, points: Points = (), boxes: Points = (), polygons: Sequence[Points] = (),
             scribbles: Sequence[Points] = (), mask: Optional[np.ndarray] = None, mask_kind: str = 'mask',
             text: Optional[str] = None, audio: Any = None, reference: Optional[ReferencePrompt] = None,
             number: int = 0) -> UserPrompt:
        """The prompts of one object, checked against the image; arguments as of ``add``.

        Args:
            number: of the object, for errors.
        """
        shape = self.image.sample.ori_shape
        if audio is not None:
            if self.transcriber is None:
                raise ValueError('audio was given but the session has no transcriber: pass transcriber='
                                 'WhisperTranscriber(path) to InteractiveSession')
            if text is not None:
                raise ValueError('give text or audio, not both')
            text = self.transcriber(audio).text
        try:
            return read_prompt(shape, points, boxes, polygons, scribbles, mask, mask_kind, text, reference)
        except ValueError as error:
            raise ValueError(f'prompt of object {number}: {error}') from error

    def read_keywords(self, prompt: Prompt, number: int) -> UserPrompt:
        """``read`` of keywords as a dict, as a file of prompts has them.

        Raises:
            ValueError: it is no dict, or one of its keys is no keyword of ``add``; and as of ``read``.
        """
        if not isinstance(prompt, dict) or not PROMPT_KEYS.issuperset(prompt):
            wrong = prompt if not isinstance(prompt, dict) else ', '.join(map(repr, prompt.keys() - PROMPT_KEYS))
            raise ValueError(f'prompt of object {number}: {wrong} is unknown; give a dict with keys out of '
                             f'{", ".join(sorted(PROMPT_KEYS))}')
        return self.read(**prompt, number=number)

    def objects_of(self, prompts: Sequence[UserPrompt],
                   previous: Optional[Sequence[Optional[Tensor]]] = None) -> PromptedObjects:
        """The prompts at the padded size of the model's input, and mask logits (h, w) of the round before."""
        image = self.image
        positive, negative = (torch.stack(masks) for masks in zip(*map(image.draw, prompts)))
        return PromptedObjects.of_image(
            positive, negative, [prompt.kind is not None for prompt in prompts], negative.flatten(1).any(1).tolist(),
            kinds=[prompt.kind or 'mask' for prompt in prompts], texts=[prompt.text for prompt in prompts],
            refs=[None if prompt.reference is None else prompt.reference.to(image.batch.device) for prompt in prompts],
            prev_logits=None if self.history == 'none' else previous)

    # ---- references ----
    @torch.no_grad()
    def encode_reference(self, points: Points = (), boxes: Points = (), polygons: Sequence[Points] = (),
                         scribbles: Sequence[Points] = (), mask: Optional[np.ndarray] = None,
                         mask_kind: str = 'mask', text: Optional[str] = None) -> ReferencePrompt:
        """Encode an object of this image as a prompt for other images, by its pixels.

        Args:
            points, boxes, polygons, scribbles, mask, mask_kind: as of ``add``.
            text: does not count.
        """
        given = self.read(points, boxes, polygons, scribbles, mask, mask_kind, text)
        if given.kind is None:
            raise ValueError('a reference needs positive pixels: give points, boxes, polygons, scribbles or a mask')
        image = self.image
        objects = self.model.extract_templates(image.batch, self.objects_of([given]))
        return self.head.prompt_decoder.encode_reference(image.feats, objects, self._fusion_names())

    # ---- decoding ----
    def _fusion_names(self) -> tuple[str, ...]:
        return self.vocabulary if self.vocabulary_in_fusion else ('object', )

    @torch.no_grad()
    def _run(self, prompts: Sequence[UserPrompt], ids: Sequence[int], latest: Sequence[Optional[Round]],
             previous: Sequence[Optional[Tensor]], like: Optional[Tensor] = None,
             num_candidates: int = 1) -> list[Round]:
        """One more round of each object: all that was said about it, its latest round and mask logits before."""
        if num_candidates < 1:
            raise ValueError(f'num_candidates={num_candidates} must be at least 1')
        if not prompts:
            return []
        pixels = [self._earlier_pixels(*each) for each in zip(prompts, latest)]

        def choose(output: DecodedObject) -> Round:
            index, ranking = output.index, output.ranking
            prompt, before = prompts[index], latest[index]
            number = 1 if before is None else before.result.round + 1
            if like is not None:
                similar = F.cosine_similarity(output.embeddings, like[None].to(output.embeddings))
                ranking = ranking + LIKE_WEIGHT * similar
            best = self._result(output, ranking.argmax()[None], prompt, ids[index], number)
            if num_candidates > 1:
                order = ranking.argsort(descending=True, stable=True)
                others = distinct(output.masks(order) > 0, CANDIDATE_IOU)[1:num_candidates]
                best = replace(best, candidates=(best, *(
                    self._result(output, order[other:other + 1], prompt, ids[index], number) for other in others)))
            if pixels[index] is None:
                return Round(prompt, best, self.encodings.keep(prompt, output.pixels, before is not None))
            return Round(prompt, best, None if before is None else before.encoding)

        return self._decode(self.objects_of(prompts, previous), choose, pixels)

    def _earlier_pixels(self, prompt: UserPrompt, latest: Optional[Round] = None) -> Optional[PixelFeatures]:
        """Encoded pixels that serve the next round of an object; None if it is encoded on its own."""
        if self.encodings.is_shared(prompt, latest is not None):
            return self.image.shared_pixels(self.head, self._fusion_names())
        return None if latest is None else self.encodings.earlier(prompt, latest.encoding)

    def _decode(self, objects: PromptedObjects, choose: Callable[[DecodedObject], Any],
                pixels: Optional[Sequence[Optional[PixelFeatures]]] = None) -> list:
        """What ``choose`` makes of the queries of each object; ``pixels`` that are encoded already."""
        image = self.image
        wanted = None if pixels is None else [each is None for each in pixels]
        return self.head.prompt_decoder.decode(
            image.feats, self.model.extract_templates(image.batch, objects, wanted), self._fusion_names(), choose,
            remember=self.history == 'tokens', pixels=pixels)

    def _result(self, output: DecodedObject, best: Tensor, prompt: UserPrompt, object_id: int,
                number: int) -> SessionObject:
        """Query ``best`` (1,) of a decoded row as round ``number`` of the object."""
        self.model.panoptic_fusion_head.require_masks()
        logits = output.masks(best)
        chosen = SelectedQueries(output.probability[best], best * 0, output.boxes[best])
        found = self.model.panoptic_fusion_head.predict([chosen], [logits], [self.image.sample])[0]['ins_results']
        mask = found.masks[0].cpu().numpy()
        if self.carve_radius:
            mask = carve(mask, prompt.clicks, self.carve_radius * min(mask.shape))
        label = label_score = None
        if self.vocabulary is not None:
            scores = probability_of_names(self.named, self.model, self.image, self.vocabulary, logits[0] > 0,
                                          output.embeddings[best[0]], MIN_IOU)
            if scores is not None:
                label, label_score = self.vocabulary[int(scores.argmax())], float(scores.max())
        return SessionObject(
            id=object_id, round=number, rle=encode(mask),
            box=found.bboxes[0].cpu().numpy(), score=float(found.scores[0]), label=label, label_score=label_score,
            text=prompt.text, logits=logits[0], embedding=output.embeddings[best[0]].clone())

    def _embedding_of(self, mask: np.ndarray, min_iou: float) -> tuple[Tensor, Optional[Tensor]]:
        """``mask`` (h, w) at the size of the mask features, and the embedding of the query that overlaps it and is
        confident, None if the overlap is not enough.

        Several queries lie on one object, and the one that fits best is often not the one that knows its name.
        """
        prompt = read_prompt(self.image.sample.ori_shape, mask=mask)
        objects = self.objects_of([prompt])
        output, = self._decode(objects, lambda decoded: decoded, [self._earlier_pixels(prompt)])
        small = self.image.shrink(objects.masks[0]) > 0.5
        masks = output.masks(torch.arange(len(output.ranking))) > 0
        overlap = (masks & small).sum((1, 2)) / (masks | small).sum((1, 2)).clamp(min=1)
        best = (overlap * output.probability).argmax()
        return small, output.embeddings[best] if overlap[best] >= min_iou else None

"""Point at objects of one image, round after round (SEEM's interaction with GLEE's prompter)."""
from dataclasses import replace
from typing import Any, Callable, Optional, Sequence, Union

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.extensions.interactive.click_carving import carve
from ..models.prompts.prompt_decoder import DecodedObject
from ..models.prompts.reference_prompt import ReferencePrompt
from ..structures.masks import encode
from ..structures.prompted_objects import PromptedObjects
from ..structures.sample_text import read_names
from ..structures.selected_queries import SelectedQueries
from .image_result import ImageResult
from .image_session import ImageSession
from .session_image import SessionImage
from .session_objects import Round, SessionObject, distinct, divide
from .user_prompt import Points, Prompt, UserPrompt, read_prompt

OTHERS = 'others'
HISTORIES = ('tokens', 'prompts', 'none')
PROMPT_KEYS = frozenset(('points', 'boxes', 'polygons', 'scribbles', 'mask', 'mask_kind', 'text', 'audio', 'reference'))
CANDIDATE_IOU = 0.8  # candidates that overlap more show the same
LIKE_WEIGHT = 0.25  # with 1 a wrong choice is repeated whatever the prompt says


class InteractiveSession(ImageSession):
    """Holds an image, its backbone features and the objects a user points at.

    ``set_image`` runs the backbone once; a prompt then costs its template's backbone pass and one pass of
    encoder and decoder, ``detect`` and ``panoptic`` such a pass without a template, and a text is encoded once.
    Coordinates are pixels of the original image. In a later round all prompts of the object count together; where
    there are negative ones they help to choose another query (the model carves the mask only if the prompter has
    ``negative_tokens``, which need training), and the mask of the round before attracts the choice. With
    ``carve_radius`` a point is always obeyed: where the model's mask contradicts it, the mask is corrected around it.

    Example:
        >>> session = InteractiveSession(model, vocabulary=('cat', 'dog'))
        >>> session.set_image('pets.jpg')
        >>> pet = session.add(points=[(120, 80)])
        >>> pet = session.refine(pet.id, points=[(200, 90, -1)])
        >>> pet.label, pet.mask

    Args:
        model (GLEE): a detector with a prompter; it is put into eval mode. Of a ``FineTunedGLEE`` the weights that know
            prompts are taken.
        vocabulary (Sequence[str] | None): names to label the results with.
        scale (tuple[int, int] | None): longest and shortest side of the resized image, px; None takes the test
            pipeline of the config that ``init_model`` left at the model.
        vocabulary_in_fusion (bool): let the vocabulary take part in early fusion. By default the pixels
            read 'object' instead, so that the vocabulary cannot move a mask.
        transcriber (Callable | None): audio (path or (samples, rate)) to a ``Transcript``, for ``audio=``; see
            ``WhisperTranscriber``.
        carve_radius (float): how far a point corrects the mask at most, see ``carve``, as share of the image's
            shorter side; 0 leaves masks as the model gives them.
        history (str): what a later round knows beside all prompts so far: 'tokens', the mask before through
            ``MemoryPromptEncoder`` and ``MaskFeatureRefiner``, which untrained or absent leaves what 'prompts' has,
            that mask's attraction for the choice of the query; 'none', nothing.
    """

    def __init__(self, model, vocabulary: Optional[Sequence[str]] = None, scale: Optional[tuple[int, int]] = None,
                 vocabulary_in_fusion: bool = False, transcriber: Optional[Callable] = None,
                 carve_radius: float = 0., history: str = 'tokens') -> None:
        if history not in HISTORIES:
            raise ValueError(f'history={history!r} is unknown; choose from {HISTORIES}')
        if getattr(model.panoptic_head, 'prompter', None) is None:
            raise ValueError('the model has no visual prompter: set panoptic_head.prompter in its config')
        super().__init__(model.answering('prompt'), scale)
        self.vocabulary = None if vocabulary is None else read_names(vocabulary, 'vocabulary')
        self.vocabulary_in_fusion = vocabulary_in_fusion and vocabulary is not None
        self.transcriber = transcriber
        self.carve_radius = carve_radius
        self.history = history
        self._rounds: dict[int, list[Round]] = {}
        self._next_id = 0

    def show(self, image: SessionImage) -> None:
        """See ``ImageSession``; objects of an earlier image are forgotten."""
        super().show(image)
        self._rounds.clear()

    def clear(self) -> None:
        """Let go of the image, its backbone features and its objects."""
        super().clear()
        self._rounds.clear()

    # ---- objects ----
    def add(self, points: Points = (), boxes: Points = (), polygons: Sequence[Points] = (),
            scribbles: Sequence[Points] = (), mask: Optional[np.ndarray] = None, mask_kind: str = 'mask',
            text: Optional[str] = None, audio: Any = None, reference: Optional[ReferencePrompt] = None,
            like: Optional[Tensor] = None, prev: Optional[np.ndarray] = None,
            num_candidates: int = 1) -> SessionObject:
        """Add one object.

        Args:
            points, boxes, polygons, scribbles, mask, mask_kind, text, reference: as of ``read_prompt``.
            audio: what the transcriber takes, instead of a text.
            like: (D,) ``embedding`` of an object, e.g. in the frame before: a quarter of the cosine with it is added
                to what queries are chosen by (not to ``score``).
            prev: (H, W) mask over the original image that the prompt corrects, e.g. of another model: it counts as
                the mask of the round before.
            num_candidates: with more than 1 the result has so many ``candidates``, or fewer where the model has no
                other masks; ``choose`` takes another one.

        Raises:
            RuntimeError: no image is set.
            ValueError: the prompt is empty or outside the image, or only says what the object is not.
        """
        given = self.read(points, boxes, polygons, scribbles, mask, mask_kind, text, audio, reference)
        return self.add_prompts([given], like, prev, num_candidates)[0]

    def add_many(self, prompts: Sequence[Prompt], num_candidates: int = 1) -> list[SessionObject]:
        """Add several objects at once, one dict of keywords of ``read`` each; they are decoded in batches."""
        given = [self.read_keywords(prompt, number) for number, prompt in enumerate(prompts)]
        return self.add_prompts(given, num_candidates=num_candidates)

    def add_prompts(self, prompts: Sequence[UserPrompt], like: Optional[Tensor] = None,
                    prev: Optional[np.ndarray] = None, num_candidates: int = 1) -> list[SessionObject]:
        """Add objects of prompts that have been read; ``like``, ``prev`` and ``num_candidates`` as of ``add``."""
        _check_positive(prompts)
        previous = [None if prev is None else self.image.logits_of(prev)] * len(prompts)
        ids = range(self._next_id, self._next_id + len(prompts))
        return self._keep(prompts, self._run(prompts, ids, [1] * len(prompts), previous, like, num_candidates))

    @torch.no_grad()
    def find(self, top_k: Optional[int] = None, min_score: float = 0., points: Points = (), boxes: Points = (),
             polygons: Sequence[Points] = (), scribbles: Sequence[Points] = (), mask: Optional[np.ndarray] = None,
             mask_kind: str = 'mask', text: Optional[str] = None, audio: Any = None,
             reference: Optional[ReferencePrompt] = None) -> list[SessionObject]:
        """Add every object that one prompt fits, best first; errors as of ``add``.

        Each is one query and can be refined; of queries whose masks overlap with an IoU above 0.5 the best counts.
        ``find(top_k=1)`` is ``add``.

        Args:
            top_k: at most so many; None for all.
            min_score: objects with a lower ``score`` are left out.
            points, boxes, polygons, scribbles, mask, mask_kind, text, audio, reference: as of ``add``.
        """
        if top_k is not None and top_k < 1:
            raise ValueError(f'top_k={top_k} must be at least 1, or None for all')
        given = [self.read(points, boxes, polygons, scribbles, mask, mask_kind, text, audio, reference)]
        _check_positive(given)
        output, = self._decode(self.objects_of(given), lambda decoded: decoded)
        order = output.ranking.argsort(descending=True, stable=True)
        order = order[output.probability[order] >= min_score]  # a score is at most the probability
        results = []
        for index in distinct(output.masks(order) > 0):
            result = self._result(output, order[index:index + 1], given[0], self._next_id + len(results), 1)
            if result.score >= min_score:
                results.append(result)
            if len(results) == top_k:
                break
        return self._keep(given * len(results), results)

    def _keep(self, prompts: Sequence[UserPrompt], results: list[SessionObject]) -> list[SessionObject]:
        """Make the results of first rounds objects of the session."""
        self._next_id += len(results)
        for prompt, result in zip(prompts, results):
            self._rounds[result.id] = [Round.of(prompt, result)]
        return results

    def refine(self, object_id: int, points: Points = (), boxes: Points = (), polygons: Sequence[Points] = (),
               scribbles: Sequence[Points] = (), mask: Optional[np.ndarray] = None, mask_kind: str = 'mask',
               text: Optional[str] = None, audio: Any = None,
               reference: Optional[ReferencePrompt] = None, num_candidates: int = 1) -> SessionObject:
        """A further round for an object: more prompts, positive or negative.

        Args:
            object_id: ``id`` of the object.
            points, boxes, polygons, scribbles, mask, mask_kind, text, audio, reference, num_candidates: as of ``add``.

        Raises:
            RuntimeError: no image is set.
            KeyError: there is no such object.
            ValueError: the prompt is empty or outside the image.
        """
        self._object(object_id)
        given = self.read(points, boxes, polygons, scribbles, mask, mask_kind, text, audio, reference, object_id)
        return self.refine_prompts({object_id: given}, num_candidates)[0]

    def refine_many(self, prompts: dict[int, Prompt]) -> list[SessionObject]:
        """A further round for several objects at once, {id: dict of keywords of ``read``}, decoded in batches."""
        for object_id in prompts:
            self._object(object_id)
        return self.refine_prompts({object_id: self.read_keywords(prompt, object_id)
                                    for object_id, prompt in prompts.items()})

    def refine_prompts(self, prompts: dict[int, UserPrompt], num_candidates: int = 1) -> list[SessionObject]:
        """A further round for several objects at once, by prompts that have been read."""
        latest = [self._object(object_id)[-1] for object_id in prompts]
        joined = [before.prompt.joined(prompt) for before, prompt in zip(latest, prompts.values())]
        results = self._run(joined, list(prompts), [before.result.round + 1 for before in latest],
                            [before.result.logits for before in latest], num_candidates=num_candidates)
        for prompt, result in zip(joined, results):
            self._rounds[result.id].append(Round.of(prompt, result))
        return results

    def choose(self, candidate: SessionObject) -> SessionObject:
        """Take one of the ``candidates`` of an object's latest round in place of the first; later rounds go on from it.

        Raises:
            KeyError: the object is gone.
            ValueError: the object has had another round since.
        """
        rounds = self._object(candidate.id)
        if candidate.round != rounds[-1].result.round:
            raise ValueError(f'the candidate is of round {candidate.round}, object {candidate.id} is in round '
                             f'{rounds[-1].result.round}: choose before the next round, or undo')
        rounds[-1] = Round.of(rounds[-1].prompt, candidate)
        return candidate

    def last_round(self, object_id: int) -> Round:
        """All that was said about an object, and what was found: ``resume`` takes it."""
        return self._object(object_id)[-1]

    def resume(self, latest: Round) -> int:
        """Go on with an object where it was left in an earlier visit to this image; returns its id now."""
        self._rounds[self._next_id] = [latest]
        self._next_id += 1
        return self._next_id - 1

    def undo(self, object_id: int) -> Optional[SessionObject]:
        """Take the last round of an object back; the result before it, or None if the object is gone."""
        rounds = self._object(object_id)
        rounds.pop()
        if rounds:
            return rounds[-1].result
        del self._rounds[object_id]
        return None

    def reset(self, object_id: Optional[int] = None) -> None:
        """Remove an object, or all of them; the image stays."""
        if object_id is None:
            self._rounds.clear()
        else:
            self._object(object_id)
            del self._rounds[object_id]

    def results(self, exclusive: bool = False) -> list[SessionObject]:
        """The objects as they are now, in the order they were added.

        With ``exclusive`` no pixel belongs to two of them, see ``divide``; the session's own masks stay.
        """
        found = [rounds[-1].result for rounds in self._rounds.values()]
        return divide(found, self.image) if exclusive and found else found

    def result(self, exclusive: bool = False) -> ImageResult:
        """``results`` with the picture, to draw, to save and to hand on."""
        image = self.image
        return ImageResult.of_objects(self.results(exclusive), image.sample.ori_shape, image.picture)

    def _object(self, object_id: int) -> list[Round]:
        self.image
        if object_id not in self._rounds:
            raise KeyError(f'there is no object {object_id}; the session has {list(self._rounds)}')
        return self._rounds[object_id]

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

    # ---- labels ----
    @torch.no_grad()
    def label(self, target: Union[int, np.ndarray], vocabulary: Optional[Sequence[str]] = None, top_k: int = 1,
              min_score: float = 0., min_iou: float = 0.3) -> list[tuple[str, float]]:
        """Names of an object or of any mask, best first, with their probabilities.

        Args:
            target: id of an object, or a mask (H, W) over the original image.
            vocabulary: names; by default the session's.
            top_k: how many.
            min_score: a less probable name becomes 'others'.
            min_iou: no name is given to a mask that the chosen query covers less well.

        Returns:
            list[tuple[str, float]]: empty if no object fits the mask.
        """
        if vocabulary is None and self.vocabulary is None:
            raise ValueError('label needs a vocabulary: pass one here or to the session')
        names = self.vocabulary if vocabulary is None else read_names(vocabulary, 'vocabulary')
        if isinstance(target, np.ndarray):
            embedding = self._embedding_of(target, min_iou)
            if embedding is None:
                return []
        else:
            embedding = self._object(int(target))[-1].result.embedding
        scores = self.head.name_probability(embedding, names)
        best = scores.topk(min(top_k, len(names)))
        return [(names[index] if score >= min_score else OTHERS, score)
                for score, index in zip(best.values.tolist(), best.indices.tolist())]

    def _embedding_of(self, mask: np.ndarray, min_iou: float) -> Optional[Tensor]:
        """Embedding of the query that overlaps ``mask`` and is confident, if the overlap is enough.

        Several queries lie on one object, and the one that fits best is often not the one that knows its name.
        """
        prompt = read_prompt(self.image.sample.ori_shape, mask=mask)
        objects = self.objects_of([prompt])
        output, = self._decode(objects, lambda decoded: decoded)
        small = self.image.shrink(objects.masks[0]) > 0.5
        masks = output.masks(torch.arange(len(output.ranking))) > 0
        overlap = (masks & small).sum((1, 2)) / (masks | small).sum((1, 2)).clamp(min=1)
        best = (overlap * output.probability).argmax()
        return output.embeddings[best] if overlap[best] >= min_iou else None

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
    def _run(self, prompts: list[UserPrompt], ids: Sequence[int], rounds: list[int],
             previous: list[Optional[Tensor]], like: Optional[Tensor] = None,
             num_candidates: int = 1) -> list[SessionObject]:
        if num_candidates < 1:
            raise ValueError(f'num_candidates={num_candidates} must be at least 1')
        if not prompts:
            return []

        def choose(output: DecodedObject) -> SessionObject:
            index, ranking = output.index, output.ranking
            if like is not None:
                similar = F.cosine_similarity(output.embeddings, like[None].to(output.embeddings))
                ranking = ranking + LIKE_WEIGHT * similar
            best = self._result(output, ranking.argmax()[None], prompts[index], ids[index], rounds[index])
            if num_candidates == 1:
                return best
            order = ranking.argsort(descending=True, stable=True)
            others = distinct(output.masks(order) > 0, CANDIDATE_IOU)[1:num_candidates]
            return replace(best, candidates=(best, *(
                self._result(output, order[other:other + 1], prompts[index], ids[index], rounds[index])
                for other in others)))

        return self._decode(self.objects_of(prompts, previous), choose)

    def _decode(self, objects: PromptedObjects, choose: Callable[[DecodedObject], Any]) -> list:
        """What ``choose`` makes of the queries of each object."""
        image = self.image
        return self.head.prompt_decoder.decode(
            image.feats, self.model.extract_templates(image.batch, objects), self._fusion_names(), choose,
            remember=self.history == 'tokens')

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

    def _result(self, output: DecodedObject, best: Tensor, prompt: UserPrompt, object_id: int,
                number: int) -> SessionObject:
        """Query ``best`` (1,) of a decoded row as round ``number`` of the object."""
        logits = output.masks(best)
        chosen = SelectedQueries(output.probability[best], best * 0, output.boxes[best])
        found = self.model.panoptic_fusion_head.predict([chosen], [logits], [self.image.sample])[0]['ins_results']
        mask = found.masks[0].cpu().numpy()
        if self.carve_radius:
            mask = carve(mask, prompt.clicks, self.carve_radius * min(mask.shape))
        label = label_score = None
        if self.vocabulary is not None:
            scores = self.head.name_probability(output.embeddings[best[0]], self.vocabulary)
            label, label_score = self.vocabulary[int(scores.argmax())], float(scores.max())
        return SessionObject(
            id=object_id, round=number, rle=encode(mask),
            box=found.bboxes[0].cpu().numpy(), score=float(found.scores[0]), label=label, label_score=label_score,
            text=prompt.text, logits=logits[0], embedding=output.embeddings[best[0]].clone())


def _check_positive(prompts: Sequence[UserPrompt]) -> None:
    for number, prompt in enumerate(prompts):
        if not prompt.names_object:
            raise ValueError(f'object {number} has negative points only: say what it is, too')

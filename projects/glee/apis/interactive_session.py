"""Point at objects of one image, round after round (SEEM's interaction with GLEE's prompter)."""
from dataclasses import replace
from typing import Any, Callable, Optional, Sequence, Union

import numpy as np
import torch
from torch import Tensor

from ..models.prompts.reference_prompt import ReferencePrompt
from ..structures.sample_text import read_names
from .image_result import ImageResult
from .object_encodings import ObjectEncodings
from .object_names import probability_of_names
from .prompt_session import MIN_IOU, PromptSession
from .session_image import SessionImage
from .session_objects import Round, SessionObject, distinct, divide
from .user_prompt import Points, Prompt, UserPrompt

OTHERS = 'others'


class InteractiveSession(PromptSession):
    """Holds an image, its backbone features and the objects a user points at.

    ``set_image`` runs the backbone once; a prompt then costs its template's backbone pass and one pass of
    encoder and decoder, ``detect`` and ``panoptic`` such a pass without a template, and a text is encoded once.
    Coordinates are pixels of the original image. In a later round all prompts of the object count together; where
    there are negative ones they help to choose another query (the model carves the mask only if the prompter has
    ``negative_tokens``, which need training), and the mask of the round before attracts the choice. With
    ``carve_radius`` a point is always obeyed: where the model's mask contradicts it, the mask is corrected around it.
    ``first='shared'`` and ``refine='decoder'`` are faster and a little less exact.

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
        first (str): of the first round of an object that pixels alone point at. 'exact': the encoder runs for it, as
            GLEE is defined; 'shared': it runs once for the image, with the word 'object' (or the vocabulary, see
            ``vocabulary_in_fusion``) and no template, and the prompter and decoder alone for each object.
        refine (str): of the later rounds. 'exact': the encoder runs again; 'decoder': the encoded pixels of the first
            round are kept, and prompter and decoder alone run. See ``ObjectEncodings``.
        kept_objects (int): objects whose encoded pixels are kept at a time with ``refine='decoder'``; a round of
            another encodes again. GLEE-Lite: 35 MB each at 640 x 640 px, 92 MB at 800 x 1333; the shared ones are one
            such set for each image.
    """

    def __init__(self, model, vocabulary: Optional[Sequence[str]] = None, scale: Optional[tuple[int, int]] = None,
                 vocabulary_in_fusion: bool = False, transcriber: Optional[Callable] = None,
                 carve_radius: float = 0., history: str = 'tokens', first: str = 'exact', refine: str = 'exact',
                 kept_objects: int = 8) -> None:
        super().__init__(model, vocabulary, scale, vocabulary_in_fusion, transcriber, carve_radius, history,
                         ObjectEncodings(first, refine, kept_objects))
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
        return self._keep(self._run(prompts, ids, [None] * len(prompts), previous, like, num_candidates))

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
        pixels = [self._earlier_pixels(given[0])]
        output, = self._decode(self.objects_of(given), lambda decoded: decoded, pixels)
        encoding = self.encodings.keep(given[0], output.pixels, False) if pixels[0] is None else None
        order = output.ranking.argsort(descending=True, stable=True)
        order = order[output.probability[order] >= min_score]  # a score is at most the probability
        results = []
        for index in distinct(output.masks(order) > 0):
            result = self._result(output, order[index:index + 1], given[0], self._next_id + len(results), 1)
            if result.score >= min_score:
                results.append(Round(given[0], result, encoding))
            if len(results) == top_k:
                break
        return self._keep(results)

    def _keep(self, first: list[Round]) -> list[SessionObject]:
        """Make first rounds objects of the session."""
        self._next_id += len(first)
        for each in first:
            self._rounds[each.result.id] = [each.settled()]
        return [each.result for each in first]

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
        found = self._run(joined, list(prompts), latest, [before.result.logits for before in latest],
                          num_candidates=num_candidates)
        for each in found:
            self._rounds[each.result.id].append(each.settled())
        return [each.result for each in found]

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
        rounds[-1] = replace(rounds[-1], result=candidate).settled()
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

    # ---- labels ----
    @torch.no_grad()
    def label(self, target: Union[int, np.ndarray], vocabulary: Optional[Sequence[str]] = None, top_k: int = 1,
              min_score: float = 0., min_iou: float = MIN_IOU) -> list[tuple[str, float]]:
        """Names of an object or of any mask, best first, with their probabilities by the weights that know each.

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
            mask, embedding = self._embedding_of(target, min_iou)
        else:
            found = self._object(int(target))[-1].result
            mask, embedding = found.logits > 0, found.embedding
        scores = probability_of_names(self.named, self.model, self.image, names, mask, embedding, min_iou)
        if scores is None:
            return []
        best = scores.topk(min(top_k, len(names)))
        return [(names[index] if score >= min_score else OTHERS, score)
                for score, index in zip(best.values.tolist(), best.indices.tolist())]


def _check_positive(prompts: Sequence[UserPrompt]) -> None:
    for number, prompt in enumerate(prompts):
        if not prompt.names_object:
            raise ValueError(f'object {number} has negative points only: say what it is, too')

"""What the demo does on a picture; ``image_tab.py`` puts windows and buttons around it."""
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Iterator, Optional, Sequence

import numpy as np
from click_preview import NEW, ClickPreview
from demo_pictures import Answer, View, counted, prompt_of, table_of

from projects.glee.apis import GLEEInferencer, ImageResult, InteractiveSession, SessionObject
from projects.glee.structures.masks import bounding_box, decode, empty_mask, encode
from projects.glee.structures.palette import palette_picture

CLICKS = ('a new object', 'more of it', 'not it')  # what a click says
NO_PICTURE = 'There is no picture yet: give one, or take an example.'
PREVIEW = 'preview: the exact answer follows'
TAKEN_BACK = 'the last step was taken back'
NOTHING_ASKED = 'Type names or a sentence, click on an object, or paint one.'
_NAMED = 1000  # first colour of what is found by name
Strokes = dict[int, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Question:
    """What the boxes of a tab hold; whatever is given is asked, all of it together.

    Attributes:
        names: of things to find.
        sentence: means one object.
        stuff: names without instances; with them everything gets a name.
        layers: (h, w, 4) RGBA drawings over what is shown, one object each; red says what the object is not.
        drawing: what strokes mean, one of ``DRAWINGS``.
        example: a picture of an object to look for, uint8 RGB (H, W, 3).
        example_layers: (H, W, 4) drawings over the object in it.
        min_score: of what is found by name or example.
        asked: of a video, a question to the language model about one object.
    """
    names: Sequence[str] = ()
    sentence: str = ''
    stuff: Sequence[str] = ()
    layers: Sequence[np.ndarray] = ()
    drawing: str = 'scribble'
    example: Optional[np.ndarray] = None
    example_layers: Sequence[np.ndarray] = ()
    min_score: float = 0.3
    asked: str = ''


@dataclass(frozen=True)
class _State:
    """What a step changes, beside the rounds of the session.

    ``found``: by name. ``layers``: layer of the drawing to id of the session. ``drawn``: strokes that were read.
    ``clicks``: by id. ``latest``: id of the object that a click adds to.
    """
    found: Optional[ImageResult] = None
    layers: dict[int, int] = field(default_factory=dict)
    drawn: Strokes = field(default_factory=dict)
    clicks: dict[int, tuple] = field(default_factory=dict)
    latest: Optional[int] = None


def new_strokes(layers: Sequence[np.ndarray], view: View, before: Strokes) -> Strokes:
    """What has been drawn since ``before``, by layer; layers without anything new are left out.

    Raises:
        ValueError: a layer has another size than what is shown.
    """
    found = {}
    for number, layer in enumerate(layers):
        positive, negative = view.strokes(layer)
        if number in before:
            positive, negative = positive & ~before[number][0], negative & ~before[number][1]
        if positive.any() or negative.any():
            found[number] = positive, negative
    return found


def joined_strokes(before: Strokes, new: Strokes) -> Strokes:
    """All strokes that were drawn, by layer."""
    both = {number: tuple(old | later for old, later in zip(before[number], new[number]))
            for number in before.keys() & new.keys()}
    return {**before, **new, **both}


def shared_prompt(given: Question, glee: GLEEInferencer) -> dict:
    """Keywords of ``InteractiveSession.add`` that hold for all objects of a round: sentence and example.

    Raises:
        ValueError: the example is painted with red alone.
    """
    prompt = {}
    if given.sentence.strip():
        prompt['text'] = given.sentence.strip()
    if given.example is not None:
        strokes = new_strokes(given.example_layers, View.of(given.example.shape), {})
        positive = next((both for both in strokes.values() if both[0].any()), None)
        if positive is None:
            raise ValueError('Paint the object on the example picture (red does not count).')
        prompt['reference'] = glee.open_image(given.example).encode_reference(**prompt_of(*positive, given.drawing))
    return prompt


def check_new(numbers: Sequence[int], strokes: Strokes, shared: dict) -> None:
    """ValueError if a new object of a layer would be told only what it is not."""
    for number in numbers:
        if not strokes[number][0].any() and not shared:
            raise ValueError(f'Layer {number + 1} has red strokes only: first paint the object in the other colour.')


class ImageDemo:
    """One user's picture and what was found in it; no method raises for what the user forgot.

    Args:
        glee: the model.
        carve_radius: as of ``InteractiveSession``.
    """

    def __init__(self, glee: GLEEInferencer, carve_radius: float = 0.) -> None:
        self._glee, self._carve_radius = glee, carve_radius
        self.session: Optional[InteractiveSession] = None
        self._names: tuple[str, ...] = ()
        self._state = _State()
        self._steps: list[tuple[list[int], _State]] = []  # objects that a step changed, and what was before it
        self._previewed: list[object] = []  # clicks whose exact answer is yet to come

    # ---- steps ----
    def open(self, image: np.ndarray) -> Answer:
        """Start with a picture, uint8 RGB (H, W, 3)."""
        self.session = self._glee.open_image(image, carve_radius=self._carve_radius)
        self.image, self.view = image, View.of(image.shape)
        self._state, self._steps, self._previewed = _State(), [], []
        self._preview = ClickPreview(self.session)
        return self._answer(f'{image.shape[1]} x {image.shape[0]} px. {NOTHING_ASKED}')

    def prepare(self) -> None:
        """Make the first preview of a click quick; it takes a good half of an exact click."""
        if self.session is not None:
            self._preview.prepare()

    def run(self, given: Question) -> Answer:
        """Ask everything that is given; names replace what was found by name before."""
        if self.session is None:
            return Answer(NO_PICTURE)
        try:
            self._names = tuple(given.names)
            strokes = new_strokes(given.layers, self.view, self._state.drawn)
            shared = shared_prompt(given, self._glee)
            if not (given.names or given.stuff or strokes or shared):
                return self._answer(NOTHING_ASKED)
            state, ids = self._state, []
            if given.names or given.stuff:
                state = replace(state, found=self._by_name(given))
            if strokes:
                state, ids = self._paint(state, strokes, shared, given.drawing)
            elif shared:
                ids = self._find(shared, given.min_score)
        except ValueError as error:  # the session's own words for what it cannot use
            return self._answer(str(error))
        self._take(state, ids)
        told = [f'found {counted(state.found.names)}'] if given.names or given.stuff else []
        told += [f'{len(ids)} object(s) added or corrected'] if ids else []
        return self._answer('; '.join(told) or f'nothing fits with a score of at least {given.min_score:g}')

    def click(self, x: float, y: float, meaning: str) -> Answer:
        """Segment what is under a click at once.

        Args:
            x, y: px of what is shown.
            meaning: one of ``CLICKS``; the others than the first are about the object of the last click or stroke.
        """
        if self.session is None:
            return Answer(NO_PICTURE)
        point = (*self.view.place(x, y), -1 if meaning == CLICKS[2] else 1)
        state = self._state
        if meaning == CLICKS[0]:
            found = self.session.add(points=[point])
        elif state.latest is None:
            return self._answer(f'There is no object yet: click with "{CLICKS[0]}" first.')
        else:
            found = self.session.refine(state.latest, points=[point])
        clicks = {**state.clicks, found.id: (*state.clicks.get(found.id, ()), point)}
        self._take(replace(state, clicks=clicks, latest=found.id), [found.id])
        number = [each.id for each in self.session.results()].index(found.id) + 1
        return self._answer(f'object {number}: score {found.score:.2f}, {found.area} px after {found.round} step(s)')

    def clicks(self, x: float, y: float, meaning: str) -> Iterator[Answer]:
        """``click``, and before its answer a preview where that is quicker; a step back between the two takes both."""
        latest = None if meaning == CLICKS[0] else self._state.latest
        if self.session is None or latest is None and meaning != CLICKS[0]:
            yield self.click(x, y, meaning)
            return
        point = (*self.view.place(x, y), -1 if meaning == CLICKS[2] else 1)
        draft = self._preview.of(point, latest)
        if draft is not None:
            mine = object()
            self._previewed.append(mine)
            try:
                yield self._answer(PREVIEW, draft, point)
                is_wanted = mine in self._previewed
            finally:  # also where nobody waits for the rest
                self._previewed = [each for each in self._previewed if each is not mine]
            if not is_wanted:
                yield self._answer(TAKEN_BACK)
                return
        yield self.click(x, y, meaning)

    def undo(self) -> Answer:
        """Take the last step back; its strokes count as new again."""
        if self._previewed:
            self._previewed.pop()
            return self._answer(TAKEN_BACK)
        if not self._steps:
            return self._answer('there is nothing to undo')
        ids, self._state = self._steps.pop()
        for object_id in ids:
            self.session.undo(object_id)
        return self._answer(TAKEN_BACK)

    def reset(self) -> Answer:
        """Forget everything that was found; the picture stays."""
        if self.session is not None:
            self.session.reset()
        self._state, self._steps, self._previewed = _State(), [], []
        return self._answer('everything was removed')

    def _take(self, state: _State, ids: list[int]) -> None:
        self._steps.append((ids, self._state))
        self._state = replace(state, latest=ids[-1] if ids else state.latest)

    def _by_name(self, given: Question) -> ImageResult:
        if not given.stuff:
            return self.session.detect(given.names, given.min_score)
        segment_map, segments = self.session.panoptic(given.names, given.stuff)
        rles = [encode(segment_map == segment['id']) for segment in segments]
        boxes = np.array([bounding_box(rle) for rle in rles], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        return ImageResult(None, self.image.shape[:2], [segment['name'] for segment in segments], boxes,
                           np.array([segment['score'] for segment in segments], np.float32), rles)

    def _paint(self, state: _State, strokes: Strokes, shared: dict, drawing: str) -> tuple[_State, list[int]]:
        """Add or refine the objects of these layers."""
        new = [number for number in strokes if number not in state.layers]
        check_new(new, strokes, shared)
        prompts = {number: dict(prompt_of(*both, drawing), **shared) for number, both in strokes.items()}
        changed = self.session.refine_many({state.layers[number]: prompt for number, prompt in prompts.items()
                                            if number in state.layers})
        added = self.session.add_many([prompts[number] for number in new])
        layers = {**state.layers, **{number: found.id for number, found in zip(new, added)}}
        ids = [found.id for found in (*changed, *added)]
        return replace(state, layers=layers, drawn=joined_strokes(state.drawn, strokes)), ids

    def _find(self, prompt: dict, min_score: float) -> list[int]:
        """Add what a prompt without strokes finds: the object of a sentence, or all that look like the example."""
        if 'reference' in prompt:
            return [found.id for found in self.session.find(min_score=min_score, **prompt)]
        return [self.session.add(**prompt).id]

    # ---- what is shown and saved ----
    def result(self, draft: Optional[SessionObject] = None) -> ImageResult:
        """What was found by name, then the objects of the session, one of them perhaps as a preview."""
        objects = self._objects(draft)
        names = [found.text or self._label(found.id) or f'object {number}' for number, found in enumerate(objects, 1)]
        pointed = replace(ImageResult.of_objects(objects, self.image.shape[:2]), names=names)
        named = self._state.found
        if named is not None and named.rles is None:  # the model has learned no masks
            named = replace(named, rles=[empty_mask(*named.shape)] * len(named))
        return ImageResult.joined([pointed] if named is None else [named, pointed], image=self.image)

    def _objects(self, draft: Optional[SessionObject]) -> list[SessionObject]:
        objects = self.session.results()
        if draft is None:
            return objects
        return [*(draft if each.id == draft.id else each for each in objects), *([draft] if draft.id == NEW else [])]

    def _label(self, object_id: int) -> Optional[str]:
        """The best of the names that were typed, if any; None for what the session does not have."""
        found = self.session.label(object_id, self._names) if self._names and object_id != NEW else []
        return found[0][0] if found else None

    def _answer(self, message: str, draft: Optional[SessionObject] = None, point: Optional[tuple] = None) -> Answer:
        """Everything as it is now; with a preview after ``point``."""
        if self.session is None:
            return Answer(message)
        found = self.result(draft)
        ids = [each.id for each in self._objects(draft)]
        first = len(found) - len(ids)
        marks = {object_id: self._state.clicks.get(object_id, ()) for object_id in ids}
        if draft is not None:
            marks[draft.id] += (point, )
        clicks = {first + row: marks[object_id] for row, object_id in enumerate(ids)}
        keys = [*range(_NAMED, _NAMED + first), *range(len(ids))]  # an object keeps its colour, whatever has a name
        return Answer(message, self.view.draw(self.image, found, clicks, keys, first), table_of(found))

    def save(self, folder: Path) -> list[Path]:
        """Write what was found to ``folder``: objects.json, masks.png and objects.jpg; nothing without objects.

        The PNG has the object's number as palette index (0 is background, the first object lies on top); the JSON is
        ``ImageResult.to_dict``.
        """
        found = self.result() if self.session is not None else ()
        if not len(found):
            return []
        numbers = np.zeros(self.image.shape[:2], np.uint8)
        for number, rle in reversed(list(enumerate(found.rles[:255], 1))):  # a palette has no more numbers
            numbers[decode(rle)] = number
        palette_picture(numbers).save(folder / 'masks.png')
        (folder / 'objects.json').write_text(json.dumps(found.to_dict(), ensure_ascii=False), encoding='utf-8')
        return [folder / 'objects.json', folder / 'masks.png', found.save(folder / 'objects.jpg')]

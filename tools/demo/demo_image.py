"""What the demo does on a picture; ``tools/demo/app.py`` puts windows and buttons around it."""
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Sequence

import numpy as np
from demo_pictures import Answer, draw, prompt_of, read_image, read_strokes, row_of

from projects.glee.apis.interactive_session import InteractiveSession, SessionObject
from projects.glee.structures.palette import palette_picture
from projects.glee.structures.sample_text import as_names
from projects.glee.structures.track import encode_mask

MODES = ('Stroke', 'Example', 'Text', 'Audio', 'Panoptic')
Strokes = dict[int, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class DemoInput:
    """Everything a tab may hold; only what the selected modes ask for is read.

    Attributes:
        image: (H, W), (H, W, 3) or (H, W, 4) uint8; in a video the tab's own frame is meant instead.
        layers: (H, W, 4) RGBA drawings over it, one object each; red says what the object is not.
        drawing: what strokes mean, one of ``DRAWINGS``.
        example, example_layers: a referring picture and the drawing over the object in it.
        text: an expression.
        audio: (samples (n,) or (n, channels), rate).
        names, stuff: of things and of stuff, to label objects with and for panoptic segmentation.
    """
    image: Optional[np.ndarray] = None
    layers: Sequence[np.ndarray] = ()
    drawing: str = 'scribble'
    example: Optional[np.ndarray] = None
    example_layers: Sequence[np.ndarray] = ()
    text: Optional[str] = None
    audio: Optional[tuple] = None
    names: Sequence[str] = ()
    stuff: Sequence[str] = ()


def new_strokes(layers: Sequence[np.ndarray], shape: tuple[int, int], before: Strokes) -> Strokes:
    """What has been drawn since ``before``, by layer; layers without anything new are left out.

    Raises:
        ValueError: a layer has not the picture's ``shape`` (H, W).
    """
    found = {}
    for number, layer in enumerate(layers):
        if layer.shape != (*shape, 4):
            raise ValueError(f'layer {number + 1} is {layer.shape} but the picture {shape}: clear the drawing')
        positive, negative = read_strokes(layer)
        if number in before:
            positive, negative = positive & ~before[number][0], negative & ~before[number][1]
        if positive.any() or negative.any():
            found[number] = positive, negative
    return found


def joined(before: Strokes, new: Strokes) -> Strokes:
    """All strokes that were drawn, by layer."""
    both = {number: tuple(old | later for old, later in zip(before[number], new[number]))
            for number in before.keys() & new.keys()}
    return {**before, **new, **both}


def missing(modes: Sequence[str], given: DemoInput, drawn: Strokes, transcriber: Optional[Callable]) -> list[str]:
    """What the selected modes lack, in words; empty if nothing."""
    lacks = dict(
        Stroke=[(not drawn, 'nothing new is drawn on the picture: paint an object, one layer for each')],
        Example=[(read_image(given.example) is None, 'there is no referring picture'),
                 (not any(read_strokes(layer)[0].any() for layer in given.example_layers),
                  'nothing is painted on the referring picture (red does not count)')],
        Text=[(not (given.text or '').strip(), 'the text box is empty')],
        Audio=[(transcriber is None, 'the demo was started without --whisper FOLDER'),
               (given.audio is None or not len(given.audio[0]), 'nothing was recorded'),
               ('Text' in modes, 'text is selected, too: choose one of them')],
        Panoptic=[(not (*given.names, *given.stuff), 'there are no names of things or stuff'),
                  (len(modes) > 1, 'it shows everything and goes without other modes')])
    unknown = [f'mode {mode} is unknown; choose from {MODES}' for mode in modes if mode not in lacks]
    return unknown + [f'{mode} is selected, but {words}' for mode in modes for lacking, words in lacks.get(mode, ())
                      if lacking]


def shared_prompt(modes: Sequence[str], given: DemoInput, transcriber: Optional[Callable],
                  examples: InteractiveSession) -> dict:
    """Keywords of ``InteractiveSession.add`` that hold for all objects of a round: text and reference."""
    prompt = {}
    if 'Text' in modes:
        prompt['text'] = given.text.strip()
    if 'Audio' in modes:
        prompt['text'] = transcriber(given.audio).text  # once, not for each object
    if 'Example' in modes:
        prompt['reference'] = encode_example(given, examples)
    return prompt


def encode_example(given: DemoInput, examples: InteractiveSession):
    """The ``ReferencePrompt`` of the referring picture's first layer with strokes."""
    picture = read_image(given.example)
    examples.set_image(picture)
    strokes = new_strokes(given.example_layers, picture.shape[:2], {})
    positive, negative = next(both for both in strokes.values() if both[0].any())
    return examples.encode_reference(**prompt_of(positive, negative, given.drawing))


def check_new(numbers: Sequence[int], strokes: Strokes, shared: dict) -> None:
    """ValueError if a new object of a layer would be told only what it is not."""
    for number in numbers:
        if not strokes[number][0].any() and not shared:
            raise ValueError(f'layer {number + 1} has red strokes only: first paint the object in another colour')


class ImageDemo:
    """One user's picture, its objects and what was drawn so far; no method raises for what the user forgot.

    Every layer of the drawing is one object: strokes that are new since the last round add or refine it, together
    with text, audio and example. Without strokes these find objects of their own.

    Args:
        model (GLEE): a detector with a prompter.
        **kwargs: as for ``InteractiveSession``.
    """

    def __init__(self, model, **kwargs) -> None:
        self.session = InteractiveSession(model, **kwargs)
        self._examples = InteractiveSession(model, **kwargs)
        self._image: Optional[np.ndarray] = None
        self._names: tuple[str, ...] = ()
        self._objects: dict[int, int] = {}  # layer to id of the session
        self._drawn: Strokes = {}
        self._steps: list[tuple[list[int], dict[int, int], Strokes]] = []  # ids of a round, and what was before it

    def run(self, modes: Sequence[str], given: DemoInput, top_k: int = 1, min_score: float = 0.) -> Answer:
        """One round of all selected modes together; no mode means panoptic, as in SEEM.

        Args:
            modes: out of ``MODES``.
            given: a picture other than that of the last round starts anew.
            top_k, min_score: of ``InteractiveSession.find``, where no strokes say which object is meant.
        """
        image = read_image(given.image)
        if image is None:
            return Answer('there is no picture: upload one')
        if self._image is None or not np.array_equal(image, self._image):
            self.session.set_image(image)
            self._image = image
            self.reset()
        self._names = as_names(given.names)
        modes = tuple(modes) or ('Panoptic', )
        try:
            strokes = new_strokes(given.layers, image.shape[:2], self._drawn) if 'Stroke' in modes else {}
            lacking = missing(modes, given, strokes, self.session.transcriber)
            if lacking:
                return self._answer('; '.join(lacking))
            if 'Panoptic' in modes:
                return self._panoptic(given.names, given.stuff)
            shared = shared_prompt(modes, given, self.session.transcriber, self._examples)
            if strokes:
                changed = self._stroke_round(strokes, shared, given.drawing)
            else:
                changed = self._find(shared, top_k, min_score)
        except ValueError as error:  # the session's own words for what it cannot use
            return self._answer(str(error))
        return self._answer(f'{len(changed)} object(s) added or refined' if changed else
                            f'nothing fits with a score of at least {min_score}')

    def _stroke_round(self, strokes: Strokes, shared: dict, drawing: str) -> list[int]:
        """Add or refine the objects of these layers; their ids."""
        new = [number for number in strokes if number not in self._objects]
        check_new(new, strokes, shared)
        prompts = {number: dict(prompt_of(*both, drawing), **shared) for number, both in strokes.items()}
        before = dict(self._objects), self._drawn
        changed = self.session.refine_many({self._objects[number]: prompt for number, prompt in prompts.items()
                                            if number in self._objects})
        added = self.session.add_many([prompts[number] for number in new])
        self._objects.update({number: found.id for number, found in zip(new, added)})
        self._drawn = joined(self._drawn, strokes)
        ids = [found.id for found in (*changed, *added)]
        self._steps.append((ids, *before))
        return ids

    def _find(self, prompt: dict, top_k: int, min_score: float) -> list[int]:
        """Add what a prompt without strokes finds; its ids."""
        ids = [found.id for found in self.session.find(int(top_k), min_score, **prompt)]
        if ids:
            self._steps.append((ids, dict(self._objects), self._drawn))
        return ids

    def _panoptic(self, names: Sequence[str], stuff: Sequence[str]) -> Answer:
        ids, segments = self.session.panoptic(names, stuff)
        masks = [ids == segment['id'] for segment in segments]
        labels = [segment['name'] for segment in segments]
        table = [row_of(name, segment['score'], mask) for name, segment, mask in zip(labels, segments, masks)]
        return Answer(f'{len(segments)} segment(s)', [draw(self._image, masks, labels)], table)

    def undo(self) -> Answer:
        """Take the last round of objects back; its strokes count as new again."""
        if not self._steps:
            return self._answer('there is nothing to undo')
        ids, self._objects, self._drawn = self._steps.pop()
        for object_id in ids:
            self.session.undo(object_id)
        return self._answer('the last round was taken back')

    def reset(self) -> Answer:
        """Forget all objects; the picture stays."""
        self.session.reset()
        self._objects, self._drawn, self._steps = {}, {}, []
        return self._answer('all objects were removed')

    def name(self, found: SessionObject, number: int) -> str:
        """The object's phrase, else its best name, else its number."""
        if found.text or not self._names:
            return found.text or f'object {number}'
        return self.session.label(found.id, self._names)[0][0]

    def _answer(self, message: str) -> Answer:
        if self._image is None:
            return Answer(message)
        found = self.session.results()
        names = [self.name(each, number) for number, each in enumerate(found, 1)]
        table = [row_of(name, each.score, each.mask, each.box) for name, each in zip(names, found)]
        return Answer(message, [draw(self._image, [each.mask for each in found], names)], table)

    def save(self, folder: Path) -> list[Path]:
        """Write the objects to ``folder``, which exists: masks.png and masks.json; nothing without objects.

        The PNG has the object's number as palette index (0 is background), and of several objects at one pixel the
        one of ``results(exclusive=True)``; the JSON is a list of COCO results (xywh boxes, compressed RLE) with names.
        """
        found = self.session.results()[:255]  # a palette has no more numbers
        if not found:
            return []
        numbers = np.zeros(self._image.shape[:2], np.uint8)
        for number, each in enumerate(self.session.results(exclusive=True)[:255], 1):
            numbers[each.mask] = number
        palette_picture(numbers).save(folder / 'masks.png')
        rows = []
        for number, each in enumerate(found, 1):
            left, top, right, bottom = (round(float(side), 2) for side in each.box)
            rows.append(dict(id=number, name=self.name(each, number), score=round(each.score, 5),
                             bbox=[left, top, round(right - left, 2), round(bottom - top, 2)],
                             segmentation=encode_mask(each.mask)))
        (folder / 'masks.json').write_text(json.dumps(rows, indent=1))
        return [folder / 'masks.png', folder / 'masks.json']

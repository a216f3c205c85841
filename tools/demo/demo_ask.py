"""What the demo does with questions about a picture; ``ask_tab.py`` puts windows and buttons around it."""
from dataclasses import replace
from typing import Iterator, NamedTuple

import numpy as np
from demo_image import NO_PICTURE
from demo_pictures import Answer, View, table_of

from projects.glee.apis import GLEEInferencer

NO_QUESTION = 'Type a question.'
ASK = 'Ask about it; {1} in a later question is the first object of the answers.'


class Said(NamedTuple):
    """What is said so far, as a chat has it, and what is shown."""
    chat: list[dict]
    answer: Answer


class AskDemo:
    """One user's picture and the questions about it; no method raises for what the user forgot.

    Args:
        glee: the model, with a language model.
    """

    def __init__(self, glee: GLEEInferencer) -> None:
        self._glee = glee
        self._dialogue = None
        self._chat: list[dict] = []

    def open(self, image: np.ndarray) -> Said:
        """Start with a picture, uint8 RGB (H, W, 3)."""
        self._dialogue, self._chat = self._glee.open_dialogue(image), []
        self.image, self.view = image, View.of(image.shape)
        return self._said(Answer(f'{image.shape[1]} x {image.shape[0]} px. {ASK}', self.view.show(image)))

    def ask(self, question: str) -> Iterator[Said]:
        """The answer word by word, at last with its objects, whose numbers count through the dialogue."""
        if self._dialogue is None:
            yield self._said(Answer(NO_PICTURE))
            return
        if not (question or '').strip():
            yield self._said(Answer(NO_QUESTION))
            return
        before, first = list(self._chat), len(self._dialogue.objects) + 1
        self._chat = [*before, dict(role='user', content=question), dict(role='assistant', content='')]
        text, result = '', None
        try:
            for piece in self._dialogue.stream(question):
                if isinstance(piece, str):
                    text += piece
                    self._chat = [*self._chat[:-1], dict(role='assistant', content=text)]
                    yield self._said(Answer('...'))
                else:
                    result = piece
        except ValueError as error:  # it points at an object that is not there
            self._chat = before
            yield self._said(Answer(str(error)))
            return
        numbers = range(first, first + len(result))
        result = replace(result, names=[f'{number} {name}' for number, name in zip(numbers, result.names)])
        picture = self.view.draw(self.image, result, {}, list(numbers))
        yield self._said(Answer(f'{len(result)} object(s)', picture, table_of(result)))

    def _said(self, answer: Answer) -> Said:
        return Said(list(self._chat), answer)

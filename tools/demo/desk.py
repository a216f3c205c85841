"""What all tabs of the page share: the model and its turns, limits, and small parts of the page."""
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

import gradio as gr
import numpy as np
from demo_image import CLICKS, Question
from demo_pictures import DRAWINGS, split_names

from projects.glee.apis import GLEEInferencer
from projects.glee_cli.serving.limits import Limits
from projects.glee_cli.serving.turns import Turns
from projects.glee_cli.serving.uploads import read_upload

ON, OFF = 'rgb(0, 190, 90)', 'rgb(230, 40, 40)'  # brushes: the object, not the object
HEIGHT = 440  # px of the windows of pictures
BRUSH_SIZE, BRUSH_OPACITY = 10, 0.5  # px of what is shown, 800 to 1280 px
KEPT = 3600  # seconds that files of users are kept
# Events of the page have no place in its API, which is in endpoints.py. Those of the model wait for each other inside,
# step by step, so that many may run.
EVENT = dict(api_visibility='private', show_progress='minimal')


@dataclass
class Desk:
    """One model for all pages.

    Attributes:
        glee: the model.
        limits: of what users send.
        transcriber: audio (samples, rate) to a ``Transcript``, or None.
        carve_radius: as of ``InteractiveSession``.
        names, stuff: what the boxes hold at first.
        examples: (picture, names) offered for a start.
        folder: where files of answers lie for a while; by default that of the system.
        turns: at the model.
    """
    glee: GLEEInferencer
    limits: Limits = Limits()
    transcriber: Optional[Callable] = None
    carve_radius: float = 0.
    names: Sequence[str] = ()
    stuff: Sequence[str] = ()
    examples: Sequence[tuple[Path, str]] = ()
    folder: Optional[Path] = None
    turns: Turns = field(default_factory=Turns)

    @property
    def asks(self) -> bool:
        """Whether there is a language model to ask."""
        return self.glee.language_model is not None

    def new_folder(self) -> Path:
        """For files of one answer; folders of answers that are older than ``KEPT`` are removed."""
        root = Path(self.folder or tempfile.gettempdir())
        for old in root.glob('answer_*'):
            if time.time() - old.stat().st_mtime > KEPT:
                shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix='answer_', dir=root))

    def read(self, file: Optional[dict]) -> Optional[np.ndarray]:
        """The picture of a component's raw value; None without one.

        Raises:
            ValueError: it is no picture, or too large.
        """
        return None if file is None else read_upload(file['path'], self.limits)

    def heard(self, audio: Optional[tuple[int, np.ndarray]]) -> str:
        """The words of a recording; empty without one.

        Raises:
            ValueError: no word is understood.
        """
        if audio is None:
            return ''
        rate, samples = audio
        with self.turns:
            return self.transcriber((samples, rate)).text


def layers_of(editor: Optional[dict]) -> list:
    """Drawings (H, W, 4) of an image editor's value."""
    return [layer for layer in ((editor or {}).get('layers') or ()) if layer is not None]


def question_of(names: str, sentence: str, min_score: float, stuff: str = '', editor: Optional[dict] = None,
                drawing: str = DRAWINGS[0], example: Optional[dict] = None, asked: str = '') -> Question:
    """What the components of a tab hold."""
    picture = (example or {}).get('background')
    return Question(split_names(names), sentence or '', split_names(stuff), layers_of(editor), drawing,
                    None if picture is None else np.ascontiguousarray(picture[..., :3]), layers_of(example), min_score,
                    asked or '')


# ---- parts of both tabs ----
def question_row(desk: Desk, button: str) -> tuple[Any, Any, Any, Any]:
    """Boxes of names and sentence, the slider of scores, and the button that asks."""
    with gr.Row(equal_height=True):
        names = gr.Textbox(', '.join(desk.names), label='Names', placeholder='cat, red car', scale=4, min_width=220,
                           info='what to find, with commas')
        sentence = gr.Textbox(label='Sentence', placeholder='the dog on the left', scale=3, min_width=200,
                              info='means one object')
        min_score = gr.Slider(0, 1, 0.3, step=0.01, label='Lowest score', scale=2, min_width=200)
        ask = gr.Button(button, variant='primary', scale=1, min_width=110)
    return names, sentence, min_score, ask


def click_switch() -> gr.Radio:
    """What a click means."""
    return gr.Radio(list(CLICKS), value=CLICKS[0], label='A click shows', elem_id='click_means', min_width=380,
                    info='each click is answered at once')


def drawing_board(label: str, sources: Sequence[str] = ()) -> gr.ImageEditor:
    """A picture to paint on, with thin brushes that let it through."""
    return gr.ImageEditor(
        label=label, type='numpy', format='png', sources=list(sources), transforms=(), height=HEIGHT,
        brush=gr.Brush(colors=[(ON, BRUSH_OPACITY), (OFF, BRUSH_OPACITY)], default_color=(ON, BRUSH_OPACITY),
                       default_size=BRUSH_SIZE, color_mode='fixed'))


def speech(desk: Desk, sentence: gr.Textbox, message: gr.Textbox) -> None:
    """A recorder whose words go into the box of the sentence; nothing without a transcriber."""
    if desk.transcriber is None:
        return
    audio = gr.Audio(sources=['microphone', 'upload'], type='numpy', label='Say the sentence')

    def write(recording):
        try:
            return desk.heard(recording), 'the words are in the box of the sentence'
        except ValueError as error:
            return '', str(error)

    audio.change(write, [audio], [sentence, message], **EVENT)

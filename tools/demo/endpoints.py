"""The page's API, by name: what programs call with ``gradio_client``."""
from typing import Any

import gradio as gr
from demo_image import Question
from demo_video import VideoDemo
from desk import Desk
from gradio.data_classes import FileData

from projects.glee_cli.serving.uploads import ShortVideo, read_upload


def path_of(file: Any) -> str:
    """The path of a file that was uploaded.

    Raises:
        gr.Error: it names a file in another way, which gradio has not looked at.
    """
    try:  # gradio keeps to its upload folder only what has this meta entry
        return FileData.model_validate(file, context=dict(validate_meta=True)).path
    except ValueError as error:
        raise gr.Error('give a file, as handle_file of gradio_client does', print_exception=False) from error


def add_endpoints(desk: Desk) -> None:
    """``/detect``, ``/segment`` and ``/track``."""

    def detect(picture: FileData, names: list[str], score: float = 0.3) -> dict:
        """Objects of some names: name, score, box (xyxy px) and mask (COCO run-length code) of each."""
        image = _read(picture)
        with desk.turns, _said():
            return desk.glee(image, names=names, score_thr=score)[0].to_dict()

    def segment(picture: FileData, points: list[list[float]], text: str = '') -> dict:
        """The object at points (x, y, sign; -1 is not the object), px of the picture, or that a sentence means."""
        image = _read(picture)
        prompt = dict(points=points, **({'text': text} if text else {}))
        with desk.turns, _said():
            return desk.glee(image, prompts=[prompt])[0].to_dict()

    def track(video: FileData, names: list[str], sentence: str = '', score: float = 0.3) -> tuple[FileData, FileData]:
        """Objects of some names, or that of a sentence, through a video: an mp4 and a JSON file."""
        demo = VideoDemo(desk.glee, desk.carve_radius)
        with _said():
            with desk.turns:
                demo.open(ShortVideo(path_of(video), desk.limits))
            done = demo.track(Question(names, sentence, min_score=score), desk.new_folder(),
                              lambda *_: None, desk.turns.each)
        if done.video is None:
            raise gr.Error(done.message, print_exception=False)
        return FileData(path=str(done.video)), FileData(path=str(done.json))

    def _read(picture):
        with _said():
            return read_upload(path_of(picture), desk.limits)

    for function in (detect, segment, track):
        gr.api(function, api_name=function.__name__)


class _said:
    """Errors about what was sent reach the caller as they are; of others it learns nothing."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, _) -> None:
        if isinstance(error, (ValueError, TypeError)) and not isinstance(error, gr.Error):
            raise gr.Error(str(error), print_exception=False) from error

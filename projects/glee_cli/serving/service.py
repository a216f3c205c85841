"""A model as an HTTP service: detect, sessions of clicks, track."""
import json
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Annotated, Any, Optional
from uuid import uuid4

from fastapi import FastAPI, File, Form, HTTPException, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from projects.glee.apis import GLEEInferencer, InteractiveSession
from projects.glee.apis.track_writers import JsonTracks
from projects.glee.visualization import Renderer
from projects.glee.visualization.video_writer import VideoWriter

from .api_page import api_page
from .limits import Limits
from .turns import Turns
from .uploads import ShortVideo, read_upload

Names = Annotated[list[str], Form(description='what to find; may be given several times, or with commas')]
Score = Annotated[float, Form(ge=0, le=1, description='lowest score of what is found by name')]
Click = Annotated[list[float], Field(min_length=2, max_length=3)]
Box = Annotated[list[float], Field(min_length=4, max_length=4)]
Place = Annotated[list[float], Field(min_length=2, max_length=2)]
IDLE = 1800.  # seconds after which a session that nobody asks is forgotten


class Prompt(BaseModel):
    """What is said about one object, in px of the picture."""
    model_config = ConfigDict(extra='forbid')
    points: list[Click] = Field([], description='[x, y] on the object, [x, y, -1] not on it')
    boxes: list[Box] = Field([], description='[x1, y1, x2, y2] around it')
    polygons: list[list[Place]] = Field([], description='lists of [x, y] around it')
    scribbles: list[list[Place]] = Field([], description='lists of [x, y] on it')
    text: Optional[str] = Field(None, description='a sentence that means it')

    def keywords(self) -> dict:
        """As of ``InteractiveSession.add``."""
        return self.model_dump(exclude_none=True)


class Sessions:
    """Sessions by their key; the ones that were not asked for longest are forgotten.

    Args:
        most: sessions that are kept: each holds the features of its picture.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[float, InteractiveSession]] = OrderedDict()

    def add(self, session: InteractiveSession) -> str:
        """Its key."""
        now = time.monotonic()
        for key in [key for key, (asked, _) in self._kept.items() if now - asked > IDLE]:
            del self._kept[key]
        while len(self._kept) >= self._most:
            self._kept.popitem(last=False)
        key = uuid4().hex
        self._kept[key] = now, session
        return key

    def get(self, key: str) -> InteractiveSession:
        """HTTPException 404 if it is unknown or was forgotten."""
        if key not in self._kept:
            raise HTTPException(404, 'there is no such session, or it was forgotten: post the picture again')
        _, session = self._kept.pop(key)
        self._kept[key] = time.monotonic(), session
        return session

    def remove(self, key: str) -> None:
        """As ``get``."""
        self.get(key)
        del self._kept[key]


def build_service(glee: GLEEInferencer, limits: Limits = Limits(), most_sessions: int = 16) -> FastAPI:
    """The service of a model, which answers one step of one request at a time.

    Args:
        glee: the model.
        limits: of what is sent.
        most_sessions: that are kept.
    """
    app = FastAPI(title='GLEE', docs_url=None, redoc_url=None, description=(
        'Find, segment and follow objects. Boxes are xyxy px, masks COCO run-length codes (pycocotools.mask.decode).'))
    turns, sessions = Turns(), Sessions(most_sessions)
    app.state.turns, room = turns, threading.Semaphore(limits.waiting)
    _add_errors(app)
    _add_limits(app, limits, room)

    @app.get('/', response_class=HTMLResponse, include_in_schema=False)
    def page() -> str:
        return api_page(app.openapi())

    @app.get('/health')
    def health() -> dict:
        """Whether it runs, and where."""
        return dict(status='ok', device=str(next(glee.model.parameters()).device))

    @app.post('/detect')
    def detect(picture: Annotated[UploadFile, File()], names: Names = [], expressions: Names = [],
               score: Score = 0.3) -> dict:
        """Every object of some names, and the one that each sentence (expressions) means."""
        with _uploaded(picture) as path:
            image = read_upload(path, limits, _name(picture))
        asked = dict(names=_split(names) or None, expressions=[text for text in expressions if text.strip()] or None)
        with turns:
            return glee(image, score_thr=score, **asked)[0].to_dict()

    @app.post('/sessions', status_code=201)
    def open_session(picture: Annotated[UploadFile, File()]) -> dict:
        """A picture to point at objects in; the key of its session."""
        with _uploaded(picture) as path:
            image = read_upload(path, limits, _name(picture))
        with turns:
            key = sessions.add(glee.open_image(image))
        return dict(session=key, height=image.shape[0], width=image.shape[1])

    @app.get('/sessions/{session}')
    def look(session: str) -> dict:
        """The objects of a session as they are now."""
        with turns:
            found = sessions.get(session)
            return dict(objects=[_object(each) for each in found.results()])

    @app.post('/sessions/{session}/objects', status_code=201)
    def add(session: str, prompt: Prompt) -> dict:
        """A new object, from points, boxes, polygons, scribbles or a sentence, all of it together."""
        with turns:
            return _object(sessions.get(session).add(**prompt.keywords()))

    @app.post('/sessions/{session}/objects/{number}')
    def refine(session: str, number: int, prompt: Prompt) -> dict:
        """Correct an object: all that was said about it counts together."""
        with turns:
            return _object(sessions.get(session).refine(number, **prompt.keywords()))

    @app.delete('/sessions/{session}/objects/{number}', status_code=204)
    def remove(session: str, number: int) -> None:
        """Take an object away."""
        with turns:
            sessions.get(session).reset(number)

    @app.delete('/sessions/{session}', status_code=204)
    def close(session: str) -> None:
        """Forget a picture and its objects."""
        with turns:
            sessions.remove(session)

    @app.post('/track', responses={200: {'content': {'application/json': {}, 'video/mp4': {}}}})
    def track(video: Annotated[UploadFile, File()], names: Names = [], expressions: Names = [], score: Score = 0.3,
              prompts: Annotated[str, Form(description='JSON: {frame: [prompts as of a session]}')] = '',
              form: Annotated[str, Form(pattern='^(json|mp4)$', description='json or mp4')] = 'json') -> Response:
        """Follow objects through a video: a list with the objects of each frame, or the video with them drawn."""
        asked = dict(names=_split(names) or None, expressions=[text for text in expressions if text.strip()] or None,
                     prompts=_frame_prompts(prompts))
        with _uploaded(video) as path:
            frames = ShortVideo(path, limits, _name(video))
            with turns:
                steps = iter(glee.track(frames, score_thr=score, **asked))
            target = path.with_name(f'result.{form}')
            writer = JsonTracks(target) if form == 'json' else VideoWriter(target, frames.fps)
            try:
                for found in turns.each(steps):
                    writer.write(found if form == 'json' else found.plot(Renderer(min_side=480), 'object'))
            finally:
                writer.close()
            if not target.is_file():
                raise ValueError(f'no frame of {frames.name} can be read')
            content = target.read_bytes()
        return Response(content, media_type='application/json' if form == 'json' else 'video/mp4')

    return app


# ---- what comes in and goes out ----
class _uploaded:
    """The path of an uploaded file, in a folder that is removed afterwards."""

    def __init__(self, upload: UploadFile) -> None:
        self._upload, self._folder = upload, tempfile.TemporaryDirectory(prefix='glee_serve_')

    def __enter__(self) -> Path:
        path = Path(self._folder.name) / f'upload{Path(_name(self._upload)).suffix[:8]}'
        with open(path, 'wb') as file:
            while part := self._upload.file.read(2**20):
                file.write(part)
        return path

    def __exit__(self, *_) -> None:
        self._folder.cleanup()


def _name(upload: UploadFile) -> str:
    """What the sender calls a file, on one line and without its folders."""
    return ' '.join((upload.filename or 'the file').replace('\\', '/').rsplit('/', 1)[-1].split()) or 'the file'


def _split(names: list[str]) -> list[str]:
    return list(dict.fromkeys(name.strip() for text in names for name in text.split(',') if name.strip()))


def _frame_prompts(text: str) -> Optional[dict]:
    """The prompts of a video by frame; None without any.

    Raises:
        ValueError: it is something else.
    """
    if not text.strip():
        return None
    try:
        content = json.loads(text)
        return {int(frame): [Prompt.model_validate(prompt).keywords() for prompt in given]
                for frame, given in content.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError('prompts is JSON by frame, e.g. {"0": [{"points": [[60, 40]]}]}: '
                         f'{str(error).splitlines()[0]}') from error


def _object(found) -> dict[str, Any]:
    return dict(id=found.id, round=found.round, score=round(found.score, 6), text=found.text,
                box=[round(float(value), 3) for value in found.box], area=found.area, mask=dict(found.rle))


# ---- what is refused ----
def _add_limits(app: FastAPI, limits: Limits, room: threading.Semaphore) -> None:
    """Too large requests, and too many at once."""
    most = int(limits.megabytes * 2**20)

    @app.middleware('http')
    async def limited(request: Request, call_next):
        if request.method == 'POST':
            length = request.headers.get('content-length', '')
            if not length.isdigit():
                return _error(411, 'a request has to say its length (Content-Length)')
            if int(length) > most + 2**16:  # the rest of the form
                return _error(413, f'the request has {int(length) / 2**20:.0f} MB, more than the '
                                   f'{limits.megabytes:g} MB that are taken')
        if not room.acquire(blocking=False):
            return _error(503, f'{limits.waiting} requests are waiting: try again later')
        try:
            return await call_next(request)
        finally:
            room.release()


def _add_errors(app: FastAPI) -> None:
    """Every error is a line, ``{"error": ...}``."""

    @app.exception_handler(HTTPException)
    def known(_: Request, error: HTTPException):
        return _error(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    def misunderstood(_: Request, error: RequestValidationError):
        first = error.errors()[0]
        return _error(422, f'{".".join(str(part) for part in first["loc"])}: {first["msg"]}')

    @app.exception_handler(ValueError)
    def unusable(_: Request, error: ValueError):
        return _error(400, str(error))

    @app.exception_handler(KeyError)
    def missing(_: Request, error: KeyError):
        return _error(404, str(error.args[0]))


def _error(code: int, message: str) -> JSONResponse:
    return JSONResponse(dict(error=' '.join(message.split())), code)

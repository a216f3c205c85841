"""Names, sentences, clicks and references to objects of pictures, in three lines."""
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterable, Iterator, NamedTuple, Optional, Sequence, Union

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from rich.progress import track

from projects.glee_cli.startup import keep_freed_memory

from ..models.detectors.compiled_network import compile_network
from ..models.language_models.text_bank import TextBank
from ..models.prompts.reference_prompt import ReferencePrompt
from ..structures.sample_text import read_names
from .followers import followers_of
from .frame_reader import FrameReader, VideoSource, open_frames
from .image_result import ImageResult, Results
from .init_model import init_model
from .interactive_session import InteractiveSession
from .model_names import config_of
from .picture_geometry import PictureGeometry
from .picture_source import Picture, PictureSource, find_pictures
from .questions import Names, Question, prompts_by_frame, read_questions
from .tracked_video import TrackedVideo
from .video_session import VideoFile, VideoSession


class _Limits(NamedTuple):
    score_thr: float
    max_per_img: int
    nms_iou: Optional[float]


class GLEEInferencer:
    """Finds, segments and names objects of pictures.

    Example:
        >>> glee = GLEEInferencer('glee_mini', 'work_dirs/quickstart/glee_mini.pth')
        >>> result = glee('street.jpg', names=['star', 'red ring'])[0]
        >>> result.names, result.boxes, result.masks, result.scores
        >>> result.save('out.jpg')

    Args:
        model (str | Path | Config): a name (``'glee_r50'``, ``'glee_swin-l'``, ``'glee_eva02-l'``, ``'glee_mini'`` and
            all others of ``configs/glee/metafile.yml``), a config file with a test pipeline, or a config.
        weights (str | Path | None): a checkpoint of ours, or a released GLEE file as it was downloaded; random weights
            without it, to try things.
        device (str | None): 'cuda' where there is one, else 'cpu'.
        score_thr (float): objects below this score are left out.
        max_per_img (int): most objects of a picture.
        nms_iou (float | None): leave out an object whose box overlaps a better one, of whatever name, by more than
            this IoU; None keeps all, as the model is trained to.
        text_bank (str | Path | None): a file of ``save_names``; its texts are not encoded again.
        language_model (str | Path | None): folder of a language model that was trained over these weights
            (docs/language_model.md), which ``ask=`` needs.
        tune_allocator (bool): let this process use freed memory again (``keep_freed_memory``: glibc alone, and not
            where the user has set it). False leaves the allocator as it is.
        compile_mode (str | None): compile the network, see ``compile_network``; not yet tried on a GPU.

    Raises:
        ValueError: the text bank was made with other weights.

    Attributes:
        model (GLEE): the detector, in eval mode.
        errors (dict[str, str]): {picture: message} of the last call.
        language_model (ReasoningSegmentor | None): in eval mode.
    """

    def __init__(self, model: Union[str, Path, Config], weights: Union[str, Path, None] = None,
                 device: Optional[str] = None, score_thr: float = 0.3, max_per_img: int = 100,
                 nms_iou: Optional[float] = None, text_bank: Union[str, Path, None] = None,
                 language_model: Union[str, Path, None] = None, tune_allocator: bool = True,
                 compile_mode: Optional[str] = None) -> None:
        if tune_allocator:
            keep_freed_memory()
        cfg = config_of(model)
        PictureGeometry.of_config(cfg)  # what is wrong with it is said before the model is built
        self.limits = _Limits(score_thr, max_per_img, nms_iou)
        device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
        self.model = init_model(cfg, None if weights is None else str(weights), device)
        if compile_mode is not None:
            compile_network(self.model, compile_mode)
        if text_bank is not None:
            self.model.panoptic_head.text_encoder.use_bank(TextBank.load(text_bank))
        self.geometry = PictureGeometry.of_model(self.model)
        self.errors: dict[str, str] = {}
        self._session: Optional[InteractiveSession] = None
        self.language_model = None
        if language_model is not None:
            from ..llm.loading import load_language_model
            self.language_model = load_language_model(language_model, self.model, device)

    def __call__(self, images: Union[Picture, Sequence[Picture], Iterator[Picture]],
                 names: Optional[Names] = None,
                 expressions: Optional[Names] = None,
                 prompts: Optional[Sequence] = None,
                 reference: Union[ReferencePrompt, dict, None] = None,
                 stuff: Optional[Names] = None,
                 score_thr: Optional[float] = None,
                 max_per_img: Optional[int] = None,
                 nms_iou: Optional[float] = None,
                 batch_size: int = 1,
                 stream: bool = False,
                 show_progress: bool = True,
                 ask: Optional[str] = None,
                 on_text: Optional[Callable[[str], None]] = None) -> Union[Results, Iterator[ImageResult]]:
        """Ask one thing of one or many pictures.

        Args:
            images: see ``find_pictures``: a file, folder, glob, array, pillow image, tensor, or a list or generator.
            names: what to look for, a name or a list; a list of lists has one vocabulary per picture.
            expressions: sentences that mean one object each; the best is returned whatever its score. Lists as names.
            prompts: one keyword dict per object, as of ``InteractiveSession.add`` (``dict(points=[(120, 80)])``,
                ``boxes``, ``scribbles``, ``polygons``, ``mask``, ``text``); for several pictures one such list each.
                One result per prompt, in order, whatever its score.
            reference: an object of another picture, of which all similar ones are found: a ``ReferencePrompt``, or
                ``dict(image=..., points=...)`` with keywords as above.
            stuff: names of what has no instances (sky, grass); results then also have a panoptic ``segment_map``.
            score_thr, max_per_img, nms_iou: as in the constructor, for this call.
            batch_size: pictures that pass the model together; only pictures of one size do.
            stream: return a generator of results instead of a list, which needs no more memory for more pictures.
            show_progress: a progress bar where several pictures are worked through.
            ask: a question for the language model; results then have its ``text`` and, of each object that it points
                at, ``segs``, which [SEG] of the text it is. ``names`` then say what these objects may be called.
            on_text: called with each piece of the answer's text as it is made.

        Returns:
            Results | Iterator[ImageResult]: one result per picture, in order, without those of ``errors``.

        Raises:
            ValueError: nothing or something contradictory is asked, a name is empty, or the only picture is damaged.
            FileNotFoundError: a picture does not exist.
        """
        self.errors = {}
        limits = _Limits(*(mine if given is None else given
                           for mine, given in zip(self.limits, (score_thr, max_per_img, nms_iou))))
        sources = find_pictures(images)
        if not stream or isinstance(images, (str, Path)):
            sources = list(sources)
        if ask is not None:
            if any(value is not None for value in (expressions, prompts, reference, stuff)):
                raise ValueError('ask= goes with names= only')
            found = self._ask(sources, ask, names, on_text)
            return found if stream else Results(found, self.errors)
        questions = read_questions(names, expressions, stuff, prompts, reference)
        single = isinstance(sources, list) and len(sources) == 1
        if show_progress and isinstance(sources, list) and len(sources) > 1:
            sources = track(sources, description='pictures', transient=True)
        found = self._run(sources, questions, self._reference(reference), limits, batch_size, single)
        return found if stream else Results(found, self.errors)

    def track(self, video: VideoSource,
              names: Union[str, Sequence[str], None] = None,
              expressions: Union[str, Sequence[str], None] = None,
              prompts: Optional[dict[int, Sequence[dict]]] = None,
              reference: Union[ReferencePrompt, dict, None] = None,
              start: int = 0,
              end: Optional[int] = None,
              stride: int = 1,
              score_thr: Optional[float] = None,
              max_per_img: Optional[int] = None,
              ask: Union[str, Sequence[str], None] = None) -> TrackedVideo:
        """Follow objects through a video; nothing is computed before its frames are asked for.

        Example:
            >>> for frame in glee.track('street.mp4', names=['car', 'person']):
            ...     print(frame.frame, frame.ids, frame.names, frame.boxes)
            >>> glee.track('street.mp4', expressions='the dog that runs').save('dog.mp4', json='dog.json')

        Args:
            video: a video file, a folder of frames, a list of arrays or paths, a generator of arrays, the number of a
                camera, or the address of a stream.
            names: every object of these names (MinVIS's linking, frame by frame).
            expressions: the object that each sentence means.
            prompts: {frame: [keyword dict per object]}, as of ``InteractiveSession.add``; followed from that frame on,
                in the direction of ``stride``. A frame that ``start`` and ``stride`` leave out is read for its prompts.
            reference: an object of another picture, as in a call.
            start, end, stride: frames to take, as of a slice; a negative stride goes backwards. Of a camera, stream or
                generator they count from its first frame.
            score_thr, max_per_img: as in the constructor.
            ask: questions for the language model, each about one object; identity k is question k, from 1, if nothing
                else is asked for.

        Returns:
            TrackedVideo: iterate over it once, or ``save`` it.

        Raises:
            ValueError: nothing is asked, or the video holds no frame.
            FileNotFoundError: there is no such video.
        """
        score_thr = self.limits.score_thr if score_thr is None else score_thr
        max_per_img = self.limits.max_per_img if max_per_img is None else max_per_img
        pointed = prompts_by_frame(prompts)
        followers = followers_of(
            self.model, self.geometry, score_thr, max_per_img, names, expressions, None if prompts is None else pointed,
            self._reference(reference))
        if ask is not None:
            from ..llm.ask_follower import follow_questions
            followers.append(follow_questions(self._asked_model(), read_names(ask, 'ask'), video, start, end, stride))
        if not followers:
            raise ValueError('say what to follow: names=, expressions=, prompts=, reference= or ask=')
        return TrackedVideo(open_frames(video, start, end, stride, also=pointed), followers)

    def save_names(self, path: Union[str, Path], names: Union[str, Sequence[str]] = (),
                   expressions: Union[str, Sequence[str]] = ()) -> None:
        """Encode names and sentences into a file for ``text_bank``; it counts with the weights of this model alone.

        Example:
            >>> glee.save_names('lvis.pt', names=Path('lvis_names.txt').read_text().splitlines())
            >>> glee = GLEEInferencer('glee_r50', 'GLEE_Lite_joint.pth', text_bank='lvis.pt')
        """
        texts = [read_names(given, what) if given else () for given, what in (
            (names, 'names'), (expressions, 'expressions'))]
        self.model.panoptic_head.text_encoder.make_bank(*texts).save(path)

    # ---- sessions ----
    def open_image(self, image: Picture, vocabulary: Optional[Sequence[str]] = None, carve_radius: float = 0.,
                   first: str = 'exact', refine: str = 'exact', kept_objects: int = 8) -> InteractiveSession:
        """A session of clicks on one picture.

        Example:
            >>> session = glee.open_image('pets.jpg')
            >>> pet = session.add(points=[(120, 80)])
            >>> pet = session.refine(pet.id, points=[(200, 90, -1)])

        Args:
            image: a file, array, pillow image or tensor.
            vocabulary, carve_radius, first, refine, kept_objects: as of ``InteractiveSession``.
        """
        session = InteractiveSession(self.model, vocabulary, carve_radius=carve_radius, first=first, refine=refine,
                                     kept_objects=kept_objects)
        session.set_image(image)
        return session

    def open_video(self, video: VideoFile, min_score: Optional[float] = None, memory: str = 'first',
                   vocabulary: Optional[Sequence[str]] = None, carve_radius: float = 0., cached_frames: int = 4,
                   first: str = 'exact', refine: str = 'exact', kept_objects: int = 8) -> VideoSession:
        """A session of clicks on any frames of a video, which are followed both ways.

        Example:
            >>> session = glee.open_video('street.mp4')
            >>> car = session.add(12, points=[(320, 200)])
            >>> for frame in session.track():
            ...     print(session.result(frame).boxes)
            >>> session.save('car.mp4')

        Args:
            video: a file, a folder of frames, or a list of arrays or paths.
            min_score: as of ``VideoSession``; by default the ``score_thr`` of the inferencer.
            memory, vocabulary, carve_radius, cached_frames, first, refine, kept_objects: as of ``VideoSession``.
        """
        session = VideoSession(
            self.model, memory=memory, vocabulary=vocabulary, carve_radius=carve_radius, cached_frames=cached_frames,
            first=first, refine=refine, kept_objects=kept_objects,
            min_score=self.limits.score_thr if min_score is None else min_score)
        session.open(video)
        return session

    def open_dialogue(self, image: Picture, names: Optional[Sequence[str]] = None, max_rounds: int = 8):
        """A dialogue of several questions about one picture (``PictureDialogue``).

        Args:
            image: a file, array, pillow image or tensor.
            names, max_rounds: as of ``PictureDialogue``.

        Raises:
            ValueError: there is no language model.
        """
        from ..llm.picture_dialogue import PictureDialogue
        source = next(find_pictures(image))
        return PictureDialogue(self._asked_model(), source.read(), source.path, names, max_rounds)

    def open_video_dialogue(self, video: VideoFile, names: Optional[Sequence[str]] = None):
        """A dialogue of several questions about one video (``VideoDialogue``).

        Args:
            video: a file, a folder of frames, or a list of arrays or paths.
            names: as of ``PictureDialogue``.

        Raises:
            ValueError: there is no language model, or it is one of pictures.
        """
        from ..llm.video import VideoReasoningSegmentor
        from ..llm.video_dialogue import VideoDialogue
        model = self._asked_model()
        if not isinstance(model, VideoReasoningSegmentor):
            raise ValueError('open_video_dialogue() needs a language model that was trained on videos; track(ask=...) '
                             'asks one of pictures about every frame')
        return VideoDialogue(model, FrameReader(video), names)

    def _asked_model(self):
        """The language model.

        Raises:
            ValueError: there is none.
        """
        if self.language_model is None:
            raise ValueError("ask= needs a language model: GLEEInferencer(..., language_model='folder/') or "
                             '--language-model folder/ (docs/language_model.md)')
        return self.language_model

    def _ask(self, sources: Iterable[PictureSource], question: str, names: Optional[Names],
             on_text: Optional[Callable[[str], None]]) -> Iterator[ImageResult]:
        """The answer to a question about each picture."""
        model = self._asked_model()
        from ..llm.picture_dialogue import PictureDialogue
        called = None if names is None else read_names(names, 'names')
        for source in sources:
            try:
                image = source.read()
            except (ValueError, OSError) as error:
                self.errors[source.name] = str(error)
                continue
            yield PictureDialogue(model, image, source.path, called).ask(question, on_text)

    # ---- what is asked ----
    def _reference(self, reference: Union[ReferencePrompt, dict, None]) -> Optional[ReferencePrompt]:
        """The encoded reference."""
        if not isinstance(reference, dict):
            return reference
        if 'image' not in reference:
            raise ValueError("reference=dict(...) needs image=, the picture that shows the object, and a prompt on it")
        with self._session_of(next(find_pictures(reference['image'])).read()) as session:
            return session.encode_reference(**{key: value for key, value in reference.items() if key != 'image'})

    # ---- pictures, in batches of one size ----
    def _run(self, sources: Iterable[PictureSource], questions: Iterator[Question],
             reference: Optional[ReferencePrompt], limits: _Limits, batch_size: int,
             single: bool) -> Iterator[ImageResult]:
        batch: list[tuple] = []
        for source, question in zip(sources, questions):
            try:
                image = source.read()
            except (ValueError, OSError) as error:
                if single:
                    raise
                self.errors[source.name] = str(error)
                continue
            if batch and (len(batch) == batch_size or image.shape != batch[0][1].shape):
                yield from self._predict(batch, reference, limits)
                batch = []
            batch.append((source, image, question))
        if batch:
            yield from self._predict(batch, reference, limits)

    @torch.no_grad()
    def _predict(self, batch: list[tuple], reference: Optional[ReferencePrompt],
                 limits: _Limits) -> Iterator[ImageResult]:
        """Results of pictures of one size."""
        sources, images, questions = zip(*batch)
        parts: list[list[ImageResult]] = [[] for _ in batch]
        if questions[0].names:
            for part, sample, question in zip(parts, self._detect(images, questions, 'category', limits), questions):
                part.append(ImageResult.of_sample(sample, question.names, question.stuff).above(
                    limits.score_thr, limits.nms_iou))
        if questions[0].expressions:
            for part, sample, question in zip(parts, self._detect(images, questions, 'expression', limits), questions):
                part.append(ImageResult.of_sample(sample, question.expressions))
        for part, image, question in zip(parts, images, questions):
            if question.prompts:
                with self._session_of(image) as session:
                    part.append(ImageResult.of_objects(session.add_many(question.prompts), image.shape[:2]))
            if reference is not None:
                with self._session_of(image) as session:
                    objects = session.find(reference=reference, min_score=limits.score_thr, top_k=limits.max_per_img)
                part.append(ImageResult.of_objects(objects, image.shape[:2]).above(limits.score_thr, limits.nms_iou))
        for part, source, image in zip(parts, sources, images):
            yield ImageResult.joined(part, source.path, None if source.path else image)

    def _detect(self, images: Sequence[np.ndarray], questions: Sequence[Question], text_mode: str,
                limits: _Limits) -> list[DetDataSample]:
        """``model.predict`` of pictures of one size."""
        inputs, samples = [], []
        for image, question in zip(images, questions):
            resized = self.geometry(image)
            inputs.append(resized.inputs)
            meta = dict(img_path=None, ori_shape=image.shape[:2], img_shape=resized.shape, text_mode=text_mode,
                        text=question.names if text_mode == 'category' else question.expressions)
            if question.stuff and text_mode == 'category':
                meta['stuff_text'] = question.stuff
            samples.append(DetDataSample(metainfo=meta))
        data = self.model.data_preprocessor(dict(inputs=inputs, data_samples=samples), False)
        return self.model.predict(data['inputs'], data['data_samples'], max_per_img=limits.max_per_img)

    @contextmanager
    def _session_of(self, image: np.ndarray) -> Iterator[InteractiveSession]:
        """The inferencer's session with this picture, of which nothing is kept afterwards."""
        if self._session is None:
            self._session = InteractiveSession(self.model)
        self._session.set_image(image)
        try:
            yield self._session
        finally:
            self._session.clear()

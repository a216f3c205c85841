"""Test loop that plays the user: prompts every annotated object and corrects the result."""
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmdet.registry import LOOPS, TASK_UTILS
from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper
from mmengine.runner import TestLoop

from ...apis.interactive_session import InteractiveSession
from ...apis.picture_geometry import PictureGeometry
from ...prompts.click_simulation import ClickSimulator, mask_iou
from ...prompts.samplers import SAMPLERS, box_of, sample_prompt
from ...structures.finished_items import FinishedItems
from ...structures.masks import encode
from ...utils.rng import counter_of


@TASK_UTILS.register_module()
class SessionPredictor:
    """Masks of prompts by an ``InteractiveSession``; another class with these methods may take its place.

    Args:
        model: the detector.
        vocabulary, scale, vocabulary_in_fusion, carve_radius, history, first, refine, kept_objects: of
            ``InteractiveSession``. All objects of an image are played together: with ``refine='decoder'`` the memory
            of ``kept_objects`` should hold them, else the others are encoded again in every round.
        resize: configs of transforms that resize (and pad) pictures, in the place of ``scale``.
    """

    def __init__(self, model, vocabulary: Optional[Sequence[str]] = None, scale: Optional[Tuple[int, int]] = None,
                 vocabulary_in_fusion: bool = False, carve_radius: float = 0., history: str = 'tokens',
                 resize: Optional[Sequence[dict]] = None, first: str = 'exact', refine: str = 'exact',
                 kept_objects: int = 64) -> None:
        size = scale if resize is None else PictureGeometry(resize)
        self.session = InteractiveSession(model, vocabulary, size, vocabulary_in_fusion, carve_radius=carve_radius,
                                          history=history, first=first, refine=refine, kept_objects=kept_objects)

    def set_image(self, image: np.ndarray, truths: np.ndarray) -> None:
        """Start with an image (H, W, 3) uint8 RGB; ``truths`` (N, H, W) are for oracles."""
        self.session.set_image(image)

    def start(self, prompts: Sequence[dict]) -> List[np.ndarray]:
        """First round of N objects, keywords of ``InteractiveSession.add``: N masks (H, W)."""
        self.session.reset()
        found = self.session.add_many(prompts)
        self.ids = [result.id for result in found]
        return [result.mask for result in found]

    def refine(self, prompts: Dict[int, dict]) -> List[np.ndarray]:
        """A further round of some of the objects, by their number: masks in the same order."""
        found = self.session.refine_many({self.ids[index]: prompt for index, prompt in prompts.items()})
        return [result.mask for result in found]


@LOOPS.register_module()
class InteractiveTestLoop(TestLoop):
    """Measures an IoU curve for every annotated object (SEEM_GLUS 0.4 and 0.5).

    Samples need the original image (no resize in the pipeline) and ``gt_instances.masks``; masks of
    ``ignored_instances`` are void. IoUs are taken at the original size. An object that has reached
    ``stop_iou`` gets no more clicks; its last IoU is repeated.

    Args:
        runner, dataloader, evaluator, fp16: of the base class; ``InteractiveSegMetric`` scores.
        rounds (dict[str, int]): rounds per kind of first prompt ('point', 'box', 'polygon', 'scribble',
            'circle', 'mask'). A 'point' is the first click of the rule; later rounds are clicks. 'none' is what
            the word 'object' finds, for comparison: the user has said nothing.
        rule (str): how clicks are chosen, 'ritm' or 'seem'.
        stop_iou (float): at least the highest threshold that is measured.
        min_area (int): smaller objects (px) are left out.
        seed (int): of drawn prompts, which depend on it and the object's number alone.
        predictor (dict): config of what answers; it is given the ``model``.
        resume_dir (str | None): keep the curves of each finished image here until the evaluation is complete, so
            that a killed one goes on where it stopped; give every checkpoint its own folder.

    Attributes:
        keep_masks (bool): outputs also have, per object and kind of prompt, the last mask as run-length code and the
            clicks, for pictures. Off until a hook turns it on.

    Raises:
        ValueError: images and masks of different sizes, or curves in ``resume_dir`` of another protocol.
    """

    def __init__(self, runner, dataloader, evaluator, fp16: bool = False,
                 rounds: Dict[str, int] = dict(point=20, box=1, scribble=1), rule: str = 'ritm',
                 stop_iou: float = 0.9, min_area: int = 1, seed: int = 0,
                 predictor: dict = dict(type='SessionPredictor'), resume_dir: Optional[str] = None) -> None:
        super().__init__(runner, dataloader, evaluator, fp16)
        unknown = set(rounds) - {*SAMPLERS, 'none'}
        if unknown or not rounds or min(rounds.values()) < 1:
            raise ValueError(f"rounds={rounds} must map some of {[*SAMPLERS, 'none']} to at least 1")
        self.rounds, self.rule, self.stop_iou, self.min_area, self.seed = rounds, rule, stop_iou, min_area, seed
        self.finished = None if resume_dir is None else FinishedItems(resume_dir)
        self.keep_masks = False
        self.protocol = dict(rounds=dict(rounds), rule=rule, stop_iou=stop_iou, min_area=min_area, seed=seed)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.predictor = TASK_UTILS.build(dict(predictor, model=model))

    def run(self) -> dict:
        """Test all images; finished ones are forgotten once the metrics are there."""
        metrics = super().run()
        if self.finished is not None and is_main_process():
            self.finished.remove()
        return metrics

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict) -> None:
        """Test all objects of a batch of images."""
        self.runner.call_hook('before_test_iter', batch_idx=idx, data_batch=data_batch)
        outputs = [self._finished(image, sample)
                   for image, sample in zip(data_batch['inputs'], data_batch['data_samples'])]
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook('after_test_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)

    def _finished(self, image: torch.Tensor, sample) -> dict:
        """``_image``, or what an interrupted evaluation kept of it."""
        if self.finished is None:
            return self._image(image, sample)
        if sample.img_id in self.finished:
            kept = self.finished.load(sample.img_id)
            if kept.pop('protocol') != self.protocol:
                raise ValueError(f'{self.finished.path(sample.img_id)} was measured in another way than '
                                 f'{self.protocol}: remove {self.finished.folder}')
            return kept
        result = self._image(image, sample)
        self.finished.save(sample.img_id, dict(result, protocol=self.protocol))
        return result

    def _image(self, image: torch.Tensor, sample) -> dict:
        """Curves of all objects of one image (3, H, W) uint8 BGR."""
        size = tuple(image.shape[-2:])
        truths = sample.gt_instances.masks.to_ndarray().astype(bool)
        if truths.shape[1:] != size:
            raise ValueError(f'image {sample.get("img_path")} is {size} but its masks {truths.shape[1:]}: '
                             'InteractiveTestLoop wants both at original size, without a resize in the pipeline')
        void = self._void(sample, size)
        objects = [index for index, truth in enumerate(truths) if (truth & ~void).sum() >= self.min_area]
        if sample.get('unreadable'):
            return dict(img_path=sample.get('img_path'), curves=[
                dict(kind=kind, object=index, ious=[0.] * rounds) for kind, rounds in self.rounds.items()
                for index in objects])
        self.predictor.set_image(np.ascontiguousarray(image.numpy().transpose(1, 2, 0)[..., ::-1]), truths[objects])
        curves = []
        for kind, rounds in self.rounds.items():
            for index, curve in zip(objects, self._curves(kind, rounds, truths[objects], void, objects, sample)):
                curves.append(dict(kind=kind, object=index, **curve))
        return dict(img_path=sample.get('img_path'), curves=curves)

    @staticmethod
    def _void(sample, size: tuple) -> np.ndarray:
        ignored = sample.get('ignored_instances')
        if ignored is None or 'masks' not in ignored or not len(ignored):
            return np.zeros(size, dtype=bool)
        return ignored.masks.to_ndarray().astype(bool).any(0)

    def _curves(self, kind: str, rounds: int, truths: np.ndarray, void: np.ndarray, objects: List[int],
                sample) -> List[dict]:
        """Of each object ``ious`` after each of ``rounds`` rounds; with ``keep_masks`` ``mask`` and ``clicks``, too."""
        if not len(truths):
            return []
        users = [ClickSimulator(truth, void, self.rule) for truth in truths]
        first = [self._first(kind, truth & ~void, user, index, sample)
                 for truth, user, index in zip(truths, users, objects)]
        masks = self.predictor.start(first)
        curves = [[mask_iou(mask, truth, void)] for mask, truth in zip(masks, truths)]
        clicked = [list(prompt.get('points', ())) for prompt in first]
        for _ in range(rounds - 1):
            clicks = {}
            for index, (user, curve) in enumerate(zip(users, curves)):
                click = user.next(masks[index]) if curve[-1] < self.stop_iou else None
                if click is not None:
                    clicks[index] = dict(points=[click])
                    clicked[index].append(click)
            if not clicks:
                break
            for index, mask in zip(clicks, self.predictor.refine(clicks)):
                masks[index] = mask
            for curve, mask, truth in zip(curves, masks, truths):
                curve.append(mask_iou(mask, truth, void))
        measured = [dict(ious=curve + [curve[-1]] * (rounds - len(curve))) for curve in curves]
        if self.keep_masks:
            for one, mask, points in zip(measured, masks, clicked):
                one.update(mask=encode(mask), clicks=points)
        return measured

    def _first(self, kind: str, truth: np.ndarray, user: ClickSimulator, index: int, sample) -> dict:
        """The first prompt of an object."""
        if kind == 'none':
            return dict(text='object')
        if kind == 'point':
            return dict(points=[user.next(np.zeros_like(truth))])
        if kind == 'box':
            return dict(boxes=[box_of(truth)])
        number = counter_of(sample.get('img_id', 0))
        drawn: Optional[np.ndarray] = sample_prompt(kind, truth, np.random.default_rng([self.seed, number, index]))
        if drawn is None or not drawn.any():
            return dict(mask=truth)
        return dict(mask=drawn, mask_kind=SAMPLERS[kind][1])

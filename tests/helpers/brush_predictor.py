"""Predictors with known curves, for tests of the interactive loop."""
import json
from pathlib import Path

import numpy as np
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.model import BaseModel


@TASK_UTILS.register_module()
class BrushPredictor:
    """Copies the truth in a disk of ``radius`` px around each click."""

    def __init__(self, model, radius=8):
        self.radius = radius

    def set_image(self, image, truths):
        self.truths = truths

    def start(self, prompts):
        self.masks = [np.zeros_like(truth) for truth in self.truths]
        return self.refine(dict(enumerate(prompts)))

    def refine(self, prompts):
        y, x = np.mgrid[:self.truths.shape[1], :self.truths.shape[2]]
        for index, prompt in prompts.items():
            for click in prompt['points']:
                disk = (x - click.x)**2 + (y - click.y)**2 <= self.radius**2
                self.masks[index] = self.masks[index] | (disk & self.truths[index])
        return [self.masks[index] for index in prompts]


@TASK_UTILS.register_module()
class MortalBrush(BrushPredictor):
    """A brush that is killed by its image ``last`` + 1; ``record`` gets a line per image that it was shown."""

    def __init__(self, model, record, last=1000, **kwargs):
        super().__init__(model, **kwargs)
        self.record, self.last, self.count = Path(record), last, 0

    def set_image(self, image, truths):
        self.count += 1
        if self.count > self.last:
            raise KeyboardInterrupt
        super().set_image(image, truths)
        with self.record.open('a') as file:
            print(int(truths.sum()), file=file)


@TASK_UTILS.register_module()
class GivenMasks:
    """Returns for one object, round by round, the union of rectangles (rows and columns, ends included).

    ``record`` (a path) gets the clicks that follow the first round, as JSON.
    """

    def __init__(self, model, rectangles, record):
        self.rectangles, self.record, self.clicks = list(rectangles), Path(record), []

    def set_image(self, image, truths):
        self.size = truths.shape[1:]

    def start(self, prompts):
        return [self._next()]

    def refine(self, prompts):
        self.clicks += prompts[0]['points']
        self.record.write_text(json.dumps(self.clicks))
        return [self._next()]

    def _next(self):
        mask = np.zeros(self.size, bool)
        for top, bottom, left, right in self.rectangles.pop(0):
            mask[top:bottom + 1, left:right + 1] = True
        return mask


@MODELS.register_module()
class NoModel(BaseModel):
    """A model that nobody asks."""

    def forward(self, *args, **kwargs):
        raise AssertionError('the loop asks its predictor')

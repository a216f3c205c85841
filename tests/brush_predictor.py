"""A predictor with a known curve, for tests of the interactive loop."""
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


@MODELS.register_module()
class NoModel(BaseModel):
    """A model that nobody asks."""

    def forward(self, *args, **kwargs):
        raise AssertionError('the loop asks its predictor')

"""The pictures drawn for composed prompts, and what a session that sees objects as numbers scores on them."""
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from projects.glee.datasets.miniworld.render import render
from projects.glee.datasets.miniworld.scene import Scene, SceneSampler, visible_masks
from projects.glee.datasets.miniworld.vocabulary import SHAPES

TOOL = Path(__file__).resolve().parents[2] / 'tools/analysis_tools/composition_report.py'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('composition_report', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbered(scene):
    """A picture whose first channel holds the number of each pixel's object from 1, the second the one of its shape."""
    picture = np.zeros((scene.height, scene.width, 3), np.uint8)
    for index, mask in enumerate(visible_masks(scene.objects, scene.height, scene.width), 1):
        picture[mask, 0] = index
        picture[mask, 1] = SHAPES.index(scene.objects[index - 1].shape)
    return picture


class NumberSession:
    """Knows the last but one object by text, what is clicked, and the last object by reference; and names of masks.

    The names of objects are asked by number, which is their id; every second one gets a wrong name.
    """

    asked = 0

    def set_image(self, picture):
        self.numbers, self.shapes = picture[..., 0], picture[..., 1]

    def label(self, target, names):
        assert names == SHAPES
        if isinstance(target, np.ndarray):
            return [(names[self.shapes[target][0]], 0.9)]
        self.asked += 1
        shape = self.shapes[self.numbers == target][0]
        return [(names[shape - self.asked % 2], 0.9)] if self.asked < 5 else []

    def encode_reference(self, mask):
        assert len(np.unique(self.numbers[mask])) == 1
        return 'last'

    def add(self, text=None, points=None, reference=None):
        number = self.numbers.max() - (1 if text else 0)
        if points:
            (x, y), = points
            number = self.numbers[int(y), int(x)]
        return SimpleNamespace(mask=self.numbers == number, id=number)


def test_scores_of_a_session_that_is_known(tool, monkeypatch):
    monkeypatch.setattr(tool, 'render', numbered)
    assert tool.measure(NumberSession(), 5, seed=0) == {
        'composition/text': 0., 'composition/click': 1., 'composition/both': 1., 'reference/mIoU': 1.,
        'label/mask_top1': 1., 'label/click_top1': 0.4}  # the second and fourth of five, the fifth has no name


def test_twins_differ_in_place_only_and_the_other_picture_in_size(tool):
    rng = np.random.default_rng(0)
    for _ in range(5):
        twice, once = tool.draw_case(rng, SceneSampler(counts={3: 1.}))
        *others, first, second = twice.objects
        words = [{key: value for key, value in vars(obj).items() if key not in ('x', 'y')} for obj in (first, second)]
        assert words[0] == words[1] and (first.x, first.y) != (second.x, second.y)
        assert first.fine_name not in [obj.fine_name for obj in (*others, *once.objects[:-1])]
        assert once.objects[-1].fine_name == first.fine_name and once.objects[-1].size != first.size
        assert once.background != twice.background
        pictures = [render(Scene(96, 96, scene.background, ())).astype(int) for scene in (twice, once)]
        assert np.abs(pictures[0] - pictures[1]).max() > 20

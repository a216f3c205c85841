"""The pictures drawn for composed prompts, and what a session that sees objects as numbers scores on them."""
import importlib.util
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from paths import ROOT

from projects.glee.miniworld.world.render import render
from projects.glee.miniworld.world.scene import Scene, SceneSampler, visible_masks
from projects.glee.miniworld.world.video_scene import VideoSampler
from projects.glee.miniworld.world.vocabulary import MINIWORLD_LVIS_CLASSES, SHAPES

TOOL = ROOT / 'tools/analysis_tools/composition_report.py'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('composition_report', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbered(scene):
    """A picture whose channels hold the number of each pixel's object from 1, of its shape, and of its name from 1."""
    picture = np.zeros((scene.height, scene.width, 3), np.uint8)
    for index, mask in enumerate(visible_masks(scene.objects, scene.height, scene.width), 1):
        picture[mask, 0] = index
        picture[mask, 1] = SHAPES.index(scene.objects[index - 1].shape)
        picture[mask, 2] = MINIWORLD_LVIS_CLASSES.index(scene.objects[index - 1].fine_name) + 1
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
        'composition/text': 0., 'composition/click': 1., 'composition/both': 1.,
        'text/top1': 0., 'reference/mIoU': 1.,
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


class NameSession:
    """Finds a reference by its name, but nothing in a frame that follows one where it was found."""

    def set_image(self, picture):
        self.names = picture[..., 2]

    def encode_reference(self, mask):
        name, = np.unique(self.names[mask])
        return name

    def add(self, reference, like):
        mask = (self.names == reference) & (like is None)
        return SimpleNamespace(mask=mask, area=mask.sum(), score=1., embedding='found')


def shown(case, margin=200):
    """Visible pixels (frames, ) of the wanted object of a case, cut out of scenes so large that nothing is outside."""
    _, video, wanted = case
    areas = []
    for poses in zip(*(moving.poses for moving in video.objects)):
        moved = [replace(pose, x=pose.x + margin, y=pose.y + margin) for pose in poses]
        mask = visible_masks(moved, video.height + 2 * margin, video.width + 2 * margin)[wanted]
        areas.append(mask[margin:-margin, margin:-margin].sum())
    return np.array(areas)


def test_scores_on_videos_of_a_session_that_is_known(tool, monkeypatch):
    """Without memory all is found; with it only the first frame that shows any of the object, if that much counts."""
    monkeypatch.setattr(tool, 'render', numbered)
    rng, films, stills = np.random.default_rng([3, 1]), VideoSampler(lengths=(8, 12)), SceneSampler()
    areas = [shown(tool.draw_video_case(rng, films, stills)) for _ in range(6)]
    assert any((area < 16).any() for area in areas)  # in some frames it cannot be seen, and they do not count
    first = [float(area[area > 0][0] >= 16) / (area >= 16).sum() for area in areas]
    numbers = tool.measure_videos(NameSession(), 6, seed=3)
    assert numbers == {'reference_video/none_J': 1., 'reference_video/prev_J': pytest.approx(np.mean(first))}


def test_the_picture_of_an_object_in_a_video(tool):
    """Its name is the only one of its kind in both; place, size and background are others, turn and shade are kept."""
    rng = np.random.default_rng(0)
    for _ in range(8):
        still, video, wanted = tool.draw_video_case(rng, VideoSampler(lengths=(8, 12)), SceneSampler())
        poses, alone = video.objects[wanted].poses, still.objects[-1]
        for objects in (still.objects, [moving.poses[0] for moving in video.objects]):
            assert [obj.fine_name for obj in objects].count(alone.fine_name) == 1
        middle = poses[len(poses) // 2]
        assert middle.fine_name == alone.fine_name and 0.75 <= alone.size / middle.size <= 1.3
        assert (alone.angle, alone.shade) == (middle.angle, middle.shade) and (alone.x, alone.y) != (middle.x, middle.y)
        assert still.background != video.background and 8 <= len(poses) <= 12
        scenes, masks = tool.film(video, wanted)
        assert len(scenes) == len(masks) == len(poses) and all(scene.background == video.background for scene in scenes)

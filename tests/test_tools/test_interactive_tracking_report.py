"""The user of the interactive tracking report, with a session whose answers are known."""
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from paths import ROOT

TOOL = ROOT / 'tools/analysis_tools/interactive_tracking_report.py'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('interactive_tracking_report', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def square(left, side=8):
    mask = np.zeros((24, 32), bool)
    mask[4:4 + side, left:left + side] = True
    return mask


class LosingSession:
    """Loses the object before frame 2 and after frame 3, until it is told better about a frame."""

    def __init__(self, wanted):
        self.wanted, self.told, self.tracked = wanted, {}, 0

    def add(self, frame, points):
        self.told[frame] = points
        return SimpleNamespace(id=1)

    def refine(self, object_id, frame, points):
        assert object_id == 1 and self.tracked == len(self.told)
        self.told[frame] = points

    def track(self):
        self.tracked += 1
        return iter(range(len(self.wanted)))

    def mask(self, object_id, frame):
        known = frame in (2, 3) or frame in self.told
        return self.wanted[frame] if known else np.zeros_like(self.wanted[frame])


def test_clicks_and_scores_of_a_known_session(tool):
    """First click in the frame with the largest mask, corrections where J is worst, J&F over the other frames."""
    wanted = {0: square(2), 1: square(4), 2: square(6, 10), 3: square(8), 4: square(0, 0)}
    session = LosingSession(wanted)
    assert tool.play(session, wanted, corrections=2) == [0.5, 0.75, 1.0]
    assert list(session.told) == [2, 0, 1]
    (x, y), = session.told[2]
    assert wanted[2][y, x] and abs(x - 10.5) <= 1 and abs(y - 8.5) <= 1
    (x, y, sign), = session.told[0]
    assert wanted[0][y, x] and sign == 1


def test_nothing_to_play(tool):
    """An object that is never seen, and one in a single annotated frame, give no score."""
    assert tool.play(LosingSession({0: square(0, 0), 1: square(0, 0)}), {0: square(0, 0), 1: square(0, 0)}, 1) is None
    assert tool.play(LosingSession({0: square(2)}), {0: square(2)}, 1) is None


def test_objects_are_read_with_their_absences(tool):
    """A mask for every annotated frame, empty where the object is not there."""
    shape = dict(height=24, width=32, video_length=3)
    frames = [dict(img_path=f'{time}.jpg', annotated=time != 1, instances=[]) for time in range(3)]
    frames[2]['instances'] = [dict(instance_id=7, mask=None)]
    dataset = SimpleNamespace(get_data_info=lambda index: shape,
                              frames_of=lambda record, times: [frames[time] for time in times])
    paths, objects = tool.read_objects(dataset, 0)
    assert paths == [Path('0.jpg'), Path('1.jpg'), Path('2.jpg')]
    assert list(objects) == [7] and list(objects[7]) == [0, 2]
    assert all(mask.shape == (24, 32) and not mask.any() for mask in objects[7].values())

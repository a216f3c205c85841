"""Clicks, curves and their numbers, against the oracle values of the specification."""
import numpy as np
import pytest
from brush_predictor import BrushPredictor
from logs import captured_log

from projects.glee.evaluation.metrics import InteractiveSegMetric
from projects.glee.evaluation.metrics.interactive_seg_metric import number_of_clicks
from projects.glee.prompts import ClickSimulator, click_simulation
from projects.glee.prompts.click_simulation import depth, mask_iou


def region(rows, columns, shape=(60, 80)):
    mask = np.zeros(shape, bool)
    mask[rows[0]:rows[1] + 1, columns[0]:columns[1] + 1] = True
    return mask


SQUARE = region((10, 50), (20, 60))
NOTHING = np.zeros((60, 80), bool)


@pytest.mark.parametrize('rule', ['ritm', 'seem'])
def test_first_click_is_the_centre(rule):
    assert ClickSimulator(SQUARE, rule=rule).next(NOTHING) == (40, 30, True)


@pytest.mark.parametrize('rule', ['ritm', 'seem'])
def test_click_on_what_is_too_much(rule, monkeypatch):
    """1681 of 1802 px are right: SEEM's user is content with that (0.933) unless most of the object is void."""
    pred = SQUARE | region((5, 15), (65, 75))
    assert ClickSimulator(SQUARE, rule=rule).next(pred) == ((70, 10, False) if rule == 'ritm' else None)
    void = region((40, 50), (20, 60))  # 1230 of 1351 px are right (0.910)
    assert ClickSimulator(SQUARE, void, rule).next(pred) == (70, 10, False)
    monkeypatch.setattr(click_simulation, 'SEEM_SATISFIED', 0.94)
    assert ClickSimulator(SQUARE, rule=rule).next(pred) == (70, 10, False)


def test_the_rules_differ_in_depth_and_area():
    truth, pred = region((10, 11), (5, 64)), region((30, 38), (30, 38))
    assert ClickSimulator(truth, rule='ritm').next(pred) == (34, 34, False)
    assert ClickSimulator(truth, rule='seem').next(pred) == (5, 10, True)


def test_depth_is_the_distance_to_the_nearest_outside_pixel():
    mask = np.random.default_rng(0).random((12, 15)) > 0.3
    padded = np.pad(mask, 1)
    outside = np.argwhere(~padded)
    for y, x in np.argwhere(mask):
        expected = np.sqrt(((outside - (y + 1, x + 1))**2).sum(1).min())
        assert depth(mask)[y, x] == pytest.approx(expected)
    assert not depth(mask)[~mask].any()


def test_clicked_places_are_not_clicked_again():
    for rule, clicks in (('ritm', 3), ('seem', 3)):
        user = ClickSimulator(region((2, 4), (2, 4), (20, 20)), rule=rule)
        made = [user.next(np.zeros((20, 20), bool)) for _ in range(clicks)]
        assert made[0] == (3, 3, True)
        # a 3 x 3 click covers the whole object, one pixel does not
        assert made[1:] == ([(2, 2, True), (3, 2, True)] if rule == 'ritm' else [None, None])
        if rule == 'ritm':
            assert len({(c.x, c.y) for c in made}) == 3


def test_void_is_neither_missing_nor_too_much():
    void = region((0, 59), (60, 79))
    pred = SQUARE | region((5, 55), (65, 79))
    assert mask_iou(pred, SQUARE, void) == 1 and ClickSimulator(SQUARE, void).next(pred) is None
    assert mask_iou(NOTHING, SQUARE, SQUARE) == 1 and mask_iou(NOTHING, SQUARE) == 0


@pytest.mark.parametrize('radius, clicks', [(8, (9, 11)), (12, (5, 5)), (20, (3, 4)), (30, (1, 1))])
def test_number_of_clicks_of_a_brush(radius, clicks):
    """The oracle of the specification, section 0.5, by hand instead of through the loop."""
    predictor, user = BrushPredictor(None, radius), ClickSimulator(SQUARE)
    predictor.set_image(None, SQUARE[None])
    mask = predictor.start([dict(points=[user.next(NOTHING)])])[0]
    curve = [mask_iou(mask, SQUARE)]
    while len(curve) < 20:
        click = user.next(mask)
        mask = mask if click is None else predictor.refine({0: dict(points=[click])})[0]
        curve.append(mask_iou(mask, SQUARE))
    assert tuple(number_of_clicks(curve, t, 20) for t in (0.85, 0.9)) == clicks


def test_metric_by_hand():
    metric = InteractiveSegMetric(rounds=(1, 3), limits=(2, ))
    metric.dataset_meta = {}
    curves = [[0.2, 0.85, 0.95, 0.95], [0.9, 0.9, 0.9, 0.9], [0.1, 0.2, 0.3, 0.4]]
    metric.process({}, [
        dict(img_path='a', curves=[dict(kind='point', object=i, ious=c) for i, c in enumerate(curves[:2])]),
        dict(img_path='b', curves=[dict(kind='point', object=0, ious=curves[2]),
                                   dict(kind='box', object=0, ious=[0.7])])])
    values = metric.evaluate(2)
    expected = {'point_mIoU': 0.4, '1-IoU': 0.4, '3-IoU': 2.15 / 3,
                'NoC@85': (2 + 1 + 4) / 3, 'NoC@90': (3 + 1 + 4) / 3,
                '2-NoC@85': (2 + 1 + 2) / 3, '2-NoC@90': (2 + 1 + 2) / 3, 'failures@85': 1, 'failures@90': 1,
                'box_mIoU': 0.7, 'instances': 3}
    assert values == {f'interactive/{key}': pytest.approx(value) for key, value in expected.items()}


def test_no_instance_gives_no_number():
    """A data set without masks: nothing is scored, and that is said."""
    metric = InteractiveSegMetric()
    metric.process({}, [dict(img_path='a.jpg', curves=[])])
    with captured_log() as messages:
        assert metric.evaluate(1) == {}
    assert any('InteractiveSegMetric: nothing was scored for mIoU' in message for message in messages)

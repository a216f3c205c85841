"""Masks that give way where they are clicked."""
import numpy as np
import pytest
from mini_video import video_model

from projects.glee.apis import InteractiveSession
from projects.glee.apis.user_prompt import read_prompt
from projects.glee.models.extensions.interactive.click_carving import carve
from projects.glee.prompts.click_simulation import Click, ClickSimulator, mask_iou


def square(top=5, left=5, side=9, shape=(20, 24)):
    mask = np.zeros(shape, bool)
    mask[top:top + side, left:left + side] = True
    return mask


def changed(before, after):
    return sorted((int(y), int(x)) for y, x in np.argwhere(before != after))


def test_disks_by_hand():
    """Three quarters of the way to the edge, no more than allowed, at least the pixel; agreement changes nothing."""
    mask = square()
    original = mask.copy()
    assert changed(mask, carve(mask, [Click(9, 9, True), Click(0, 0, False)], 4)) == []
    assert changed(mask, carve(mask, [Click(5, 9, False)], 4)) == [(9, 5)]  # 1 px from the outside
    plus = [(8, 9), (9, 8), (9, 9), (9, 10), (10, 9)]
    assert changed(mask, carve(mask, [Click(9, 9, False)], 1)) == plus  # 5 px from the outside, 1 allowed
    assert len(changed(mask, carve(mask, [Click(9, 9, False)], 4))) == 45  # radius 3.75
    ring = [(y, x) for y in (8, 9, 10) for x in (14, 15, 16)]
    assert changed(mask, carve(mask, [Click(15, 9, True)], 4)) == ring  # 2 px from the mask, radius 1.5
    assert changed(mask, carve(mask, [Click(15, 9, True)], 4, reach=0.5)) == [
        (8, 15), (9, 14), (9, 15), (9, 16), (10, 15)]
    assert changed(mask, carve(mask, [Click(23, 19, True)], 4)) == [(19, 23)]  # a corner of the image
    assert np.array_equal(mask, original)


def test_the_later_click_holds():
    """Clicks are obeyed in their order."""
    clicks = [Click(9, 9, False), Click(9, 9, True)]
    assert carve(square(), clicks, 4)[9, 9] and not carve(square(), clicks[::-1], 4)[9, 9]


@pytest.mark.parametrize('seed', range(4))
def test_clicks_of_the_rule_never_make_a_fixed_mask_worse(seed):
    """Each of 10 clicks where the error is deepest raises the IoU, for pairs of random masks of 4 px blocks."""
    rng = np.random.default_rng(seed)
    truth, mask = (np.kron(rng.random((5, 6)) < 0.5, np.ones((4, 4), bool)) for _ in range(2))
    user, ious = ClickSimulator(truth), [mask_iou(mask, truth)]
    clicks = []
    for _ in range(10):
        click = user.next(carve(mask, clicks, 3))
        if click is None:
            break
        clicks.append(click)
        ious.append(mask_iou(carve(mask, clicks, 3), truth))
    assert len(ious) > 5 and all(later > earlier for earlier, later in zip(ious, ious[1:]))


def test_points_are_kept_in_their_order():
    """Only points are clicks; rounds add up."""
    first = read_prompt((20, 24), points=[(3.7, 4), (5, 6, -1)], boxes=[(1, 1, 9, 9)])
    assert first.clicks == (Click(3, 4, True), Click(5, 6, False))
    assert first.joined(read_prompt((20, 24), points=[(7, 8, 0)])).clicks == (*first.clicks, Click(7, 8, False))


def test_a_session_obeys_points():
    """With ``carve_radius`` the mask agrees with every point, round by round; without it, it is the model's."""
    model = video_model(dict(type='PromptTracker'))
    picture = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    rounds = [[(30, 30)], [(35, 30, -1), (70, 20, 1)], [(10, 50, 1), (30, 35, 0)]]
    masks = {}
    for radius in (0., 0.05):
        session = InteractiveSession(model, scale=(96, 64), carve_radius=radius)
        session.set_image(picture)
        found = session.add(points=rounds[0])
        for points in rounds[1:]:
            found = session.refine(found.id, points=points)
        masks[radius] = found.mask
    carved = [masks[0.05][y, x] for x, y in ((30, 30), (35, 30), (70, 20), (10, 50), (30, 35))]
    assert carved == [True, False, True, True, False]
    assert (masks[0.] != masks[0.05]).any()
    np.testing.assert_array_equal(masks[0.05], carve(masks[0.], [
        Click(30, 30, True), Click(35, 30, False), Click(70, 20, True), Click(10, 50, True), Click(30, 35, False)],
        0.05 * 64))

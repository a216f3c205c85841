"""Videos as boxes over time."""
import numpy as np
import pytest
import torch

from projects.glee.datasets.transforms import LoadTrajectories, PackTrajectories, SwapSidesOnFlip


def record(length=3, objects=((5, 0), (9, 1))):
    """10 px squares of a 100 x 50 px video that move right by 10 px per frame, each from its own frame on."""
    images = [dict(annotated=True, instances=[
        dict(instance_id=number, bbox=[10. * time, 20., 10. * time + 10, 30.])
        for number, start in objects if time >= start]) for time in range(length)]
    return dict(
        video_length=length, width=100, height=50, images=images, text=('the star that moves right', 'all stars'),
        video_info=dict(name='v', expressions=[dict(object_ids=[9]), dict(object_ids=[5, 9])]),
        expand=lambda results, positions: [results['images'][position] for position in positions])


def test_boxes_over_time_by_hand():
    """cx, cy, w, h relative to the image, visibility, and who is meant."""
    results = LoadTrajectories().transform(record())
    seen = [[.05, .5, .1, .2, 1], [.15, .5, .1, .2, 1], [.25, .5, .1, .2, 1]]
    np.testing.assert_allclose(results['trajectories'], [seen, [[0] * 5, *seen[1:]]], atol=1e-6)
    assert results['referred'].tolist() == [[False, True], [True, True]]
    packed = PackTrajectories().transform(results)
    assert packed['inputs'].shape == (2, 3, 5) and packed['inputs'].dtype == torch.float32
    assert packed['data_samples'].text == ('the star that moves right', 'all stars')
    assert packed['data_samples'].referred.tolist() == [[False, True], [True, True]]


def test_a_flip_mirrors_boxes_and_words():
    """Right becomes left, in the boxes and in the sentence."""
    results = SwapSidesOnFlip().transform(LoadTrajectories(flip_prob=1.0).transform(record()))
    np.testing.assert_allclose(results['trajectories'][0, :, 0], [.95, .85, .75], atol=1e-6)
    assert results['text'] == ['the star that moves left', 'all stars']


def test_disturbances_have_their_size():
    """Noise and lost sights in the given proportion over many objects; the same seed, the same numbers."""
    many = record(length=20, objects=tuple((number, 0) for number in range(100)))
    clean = LoadTrajectories().transform(many)['trajectories']
    np.random.seed(0)
    first = LoadTrajectories(noise=0.02, drop_prob=0.25).transform(many)['trajectories']
    np.random.seed(0)
    again = LoadTrajectories(noise=0.02, drop_prob=0.25).transform(many)['trajectories']
    np.testing.assert_array_equal(first, again)
    assert (first - clean)[..., :4].std() == pytest.approx(0.02, rel=0.05)
    assert first[..., 4].mean() == pytest.approx(0.75, abs=0.04)


def test_unannotated_frames_and_empty_videos():
    """A frame without annotation is no sign of absence; a video without objects gives way to another."""
    video = record()
    video['images'][1]['annotated'] = False
    assert LoadTrajectories().transform(video)['trajectories'].shape == (2, 2, 5)
    assert LoadTrajectories().transform(record(objects=())) is None

"""A training step and a tested clip of a mini GLEE on mmdet's data sets of videos, and mmdet's metrics on them."""
import numpy as np
import pytest
import torch
from logs import captured_log
from mini_video import video_model
from mmdet.registry import DATA_SAMPLERS, DATASETS, METRICS
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from stock_files import SIZE
from stock_videos import LENGTH, box_of, mot_challenge, youtube_vis

from projects.glee.structures import Track, decode, encode, track_instances

ELSEWHERE = [56, 0, 8, 5]  # xywh, on no object
CELLS = dict(YouTubeVISDataset=(youtube_vis, True), MOTChallengeDataset=(mot_challenge, False))


@pytest.fixture(scope='module')
def model():
    return video_model(dict(type='MinVISTracker', max_per_video=6))


@pytest.mark.parametrize('cell', CELLS)
def test_one_step(cell, tmp_path, model):
    write, has_masks = CELLS[cell]
    dataset = DATASETS.build(write(tmp_path))
    np.random.seed(0)
    torch.manual_seed(0)
    model.train()
    data = model.data_preprocessor(pseudo_collate([dataset[0], dataset[1]]), True)
    assert data['inputs'].shape[:2] == (2, 2)  # clips of two frames
    total, terms = model.parse_losses(model.loss(data['inputs'], data['data_samples']))
    total.backward()
    model.zero_grad()
    assert torch.isfinite(total) and all(terms[f'loss_{term}'] > 0 for term in ('cls', 'bbox', 'track'))
    assert (terms['loss_mask'] > 0) == has_masks


def test_clips_without_text(tmp_path, model):
    config = youtube_vis(tmp_path)
    config['pipeline'][1]['transforms'].pop()
    batch = pseudo_collate([DATASETS.build(config)[0]])
    with pytest.raises(KeyError, match='the sample has no `text`.*SetSource'):
        model.data_preprocessor(batch, True)
    config = youtube_vis(tmp_path / 'test', test=True)
    config['pipeline'][0]['transforms'].pop()
    with pytest.raises(KeyError, match='has no `text` and the model no dataset_meta'):
        run_model(model, config)
    model.dataset_meta = dict(classes=('person', 'dog'))
    _, videos = run_model(model, config)
    assert all(frame.text == ('person', 'dog') for video in videos for frame in video)
    del model.dataset_meta


def run_model(model, config):
    """The data set and its videos after the model has seen them, each as one sample."""
    dataset = DATASETS.build(config)
    model.eval()
    with torch.no_grad():
        return dataset, [model.test_step(pseudo_collate([dataset[index]]))[0] for index in range(len(dataset))]


def truth(index, video, label, elsewhere=False):
    """The track of an object, in the form of the tracker's results."""
    track = Track(2 * video + 1 + index, label, 0.5 if elsewhere else 0.9 - 0.1 * index)
    for frame in range(LENGTH):
        x, y, width, height = ELSEWHERE if elsewhere else box_of(index, frame)
        mask = np.zeros(SIZE, bool)
        mask[y:y + height, x:x + width] = True
        track.segmentations.append(encode(mask))
        track.bboxes.append([x, y, x + width, y + height])
    return track


def score(metric, dataset, videos, tracks=None, change=None):
    """Of the model's own tracks, or of those of each video; ``change`` has the last word about its frames."""
    metric = METRICS.build(metric)
    metric.dataset_meta = dataset.metainfo
    for number, video in enumerate(videos):
        for frame in video.video_data_samples:
            if tracks is not None:
                found = track_instances(tracks[number], frame.frame_id, SIZE)
                assert set(found.keys()) == set(frame.pred_track_instances.keys())
                frame.pred_track_instances = found
            if change is not None:
                change(number, frame)
        metric.process({}, [video.to_dict()])
    return metric.evaluate(len(videos))


def test_youtube_vis_metric(tmp_path, model):
    """Of the first name one of two tracks is found, before the wrong one: precision 1 at recalls up to 1/2."""
    dataset, videos = run_model(model, youtube_vis(tmp_path, test=True))
    metric = dict(type='YouTubeVISMetric')
    for video in videos:
        assert len(video.pred_tracks) == 6
        for number, frame in enumerate(video):
            masks = [decode(track.segmentations[number]) for track in video.pred_tracks if track.segmentations[number]]
            assert masks and np.array_equal(frame.pred_track_instances.masks, masks)
    assert 0 <= score(metric, dataset, videos)['youtube_vis/segm_mAP'] <= 1
    perfect = [[truth(index, video, index) for index in range(2)] for video in range(2)]
    assert score(metric, dataset, videos, perfect)['youtube_vis/segm_mAP'] == 1
    wrong = [perfect[0], [truth(0, 1, 0, elsewhere=True), perfect[1][1]]]
    assert score(metric, dataset, videos, wrong)['youtube_vis/segm_mAP'] == round((51 / 101 + 1) / 2, 3)


def test_mot_challenge_metric(tmp_path, model):
    dataset, videos = run_model(model, mot_challenge(tmp_path, test=True))

    def results(*args):
        values = score(dict(type='MOTChallengeMetric'), dataset, videos, *args)
        return [values[f'motchallenge-metric/{name}'] for name in ('HOTA', 'MOTA', 'IDF1', 'IDSW')]
    assert 0 <= results()[0] <= 1
    perfect = [[truth(index, video, 0) for index in range(2)] for video in range(2)]
    assert results(perfect) == pytest.approx([1, 1, 1, 0])
    # 3 of 12 boxes are missed, 3 are found on nothing
    wrong = [perfect[0], [truth(0, 1, 0, elsewhere=True), perfect[1][1]]]
    assert results(wrong)[1:] == pytest.approx([1 - 6 / 12, 2 * 9 / (2 * 9 + 3 + 3), 0])

    def swap(number, frame):
        if number == 1 and frame.frame_id == LENGTH - 1:
            frame.pred_track_instances.instances_id = frame.pred_track_instances.instances_id.flip(0)
    # both identities change in the last frame of a video
    assert results(perfect, swap)[1:] == pytest.approx([1 - 2 / 12, 10 / 12, 2])


def test_a_frame_at_a_time_has_tracks_but_nothing_for_mmdets_metrics(tmp_path, model):
    dataset = DATASETS.build(mot_challenge(tmp_path, test=True))
    sampler = DATA_SAMPLERS.build(dict(type='TrackImgSampler', dataset=dataset))
    assert list(sampler) == [(video, frame) for video in range(2) for frame in range(LENGTH)]
    model.eval()
    with torch.no_grad(), captured_log() as messages:
        frames = [model.test_step(pseudo_collate([dataset[index]]))[0] for index in sampler]
    assert sum("mmdet's metrics need whole videos" in message for message in messages) == 1
    assert [len(sample.get('pred_tracks', [])) for sample in frames] == [0, 0, 6] * 2
    with pytest.raises(AssertionError):
        METRICS.build(dict(type='MOTChallengeMetric')).process({}, [frames[0].to_dict()])


def test_tracks_of_a_frame():
    tracks = [Track(5, 1, 0.75, [None, encode(np.eye(3, dtype=bool))], [None, [0., 0., 3., 3.]]),
              Track(6, 0, 0.5, [None, encode(np.eye(3, dtype=bool)[:, ::-1])], [None, None])]
    nothing, both = (track_instances(tracks, frame, (3, 3)) for frame in (0, 1))
    assert isinstance(nothing, InstanceData) and nothing.masks.shape == (0, 3, 3) and nothing.bboxes.shape == (0, 4)
    assert both.instances_id.tolist() == [5, 6] and both.labels.tolist() == [1, 0]
    assert both.scores.tolist() == [0.75, 0.5] and both.bboxes.tolist() == [[0, 0, 3, 3]] * 2
    diagonal = torch.eye(3, dtype=torch.bool)
    assert torch.equal(both.masks, torch.stack([diagonal, diagonal.flip(1)]))

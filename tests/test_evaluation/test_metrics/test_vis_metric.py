"""VIS AP and its tracks' overlaps against independent programs, on random cases."""
import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest
from mmdet.evaluation.functional import YTVIS, YTVISeval
from rle import rle
from trackeval.metrics import TrackMAP
from video_cases import SHAPE, decoded, random_video
from video_feed import feed

from projects.glee.evaluation.functional.track_ap import average_precision, match_tracks
from projects.glee.evaluation.functional.track_overlap import mean_area, track_ious
from projects.glee.evaluation.metrics import VISMetric
from projects.glee.structures import Track

NAMES = ('class 0', 'class 1', 'class 2')
AREAS = dict(s=(0, 80), m=(80, 200), l=(200, 1e10))


def vis_metric(**kwargs):
    metric = VISMetric(area_ranges=AREAS, **kwargs)
    metric.dataset_meta = dict(classes=NAMES, category_ids=(3, 7, 9), partition=(0, 1, 3))
    return metric


class CrowdsCount(YTVISeval):
    """LV-VIS's rule: a crowd has to be found, and every track that fits it has found it."""

    def _prepare(self):
        super()._prepare()
        for objects in self._gts.values():
            for truth in objects:
                truth['ignore'] = 0


def reference_ytvis(videos, program=YTVISeval):
    """mmdet's YTVISeval with ids from 1 and the sizes of the file: dict of numbers."""
    annotations, detections = [], []
    for video in videos:
        for track in video.truth():
            areas = [None if s is None else int(decoded(s).sum()) for s in track.segmentations]
            size = video.info.get('object_areas', {}).get(str(track.instance_id))
            annotations.append(dict(id=len(annotations) + 1, video_id=video.video_id, category_id=track.label + 1,
                                    iscrowd=int(track.ignore), segmentations=track.segmentations,
                                    areas=areas if size is None else [size], bboxes=[None] * len(areas)))
        detections += [dict(video_id=video.video_id, category_id=t.label + 1, score=t.score,
                            segmentations=t.segmentations) for t in video.tracks]
    truth = dict(videos=[dict(id=v.video_id, height=SHAPE[0], width=SHAPE[1]) for v in videos],
                 categories=[dict(id=i + 1, name=name) for i, name in enumerate(NAMES)], annotations=annotations)
    with contextlib.redirect_stdout(io.StringIO()):
        api = YTVIS(truth)
        evaluation = program(api, api.loadRes(detections), 'segm')
        evaluation.params.vidIds = sorted(v.video_id for v in videos)
        evaluation.params.areaRng = [[0, 1e10], *map(list, AREAS.values())]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10')
    return dict(zip(names, evaluation.stats))


def compare_with_ytviseval(metric, data_sets, program=YTVISeval):
    """The largest difference and our AP of the data sets with an object to find."""
    largest, scored = 0, []
    for videos in data_sets:
        feed(metric, videos, meta=metric.dataset_meta)
        ours = {name.partition('/')[2]: value for name, value in metric.evaluate(len(videos)).items()}
        reference = {name: value for name, value in reference_ytvis(videos, program).items() if value != -1}
        assert set(ours) == set(reference)
        largest = max(largest, *(abs(ours[name] - reference[name]) for name in reference), 0)
        scored += [reference['AP']] if 'AP' in reference else []
    print('largest difference', largest, 'cases', len(scored))
    return largest, scored


def vis_sets(count, crowd=0.2, doubled=False):
    """Data sets of 3 videos, numbered so that text sorts them otherwise, some with sizes that are not the masks'."""
    for seed in range(count):
        videos = [random_video(3 * seed + i, crowd=crowd, video_id=i + 9) for i in range(3)]
        rng = np.random.default_rng(seed)
        for video in videos:
            if seed % 2:
                video.info['object_areas'] = {str(t.instance_id): int(rng.integers(1, 300)) for t in video.truth()}
            if doubled:
                video.tracks += [replace(t, instance_id=100 + t.instance_id, score=t.score / 2) for t in video.tracks]
        if any(v.tracks for v in videos):
            yield videos[::-1]  # in whatever order they are tested


def test_vis_ap_equals_ytviseval():
    """240 data sets of 3 videos with crowds."""
    largest, scored = compare_with_ytviseval(vis_metric(), vis_sets(240))
    assert len(scored) >= 200 and len(set(scored)) > 100
    assert largest < 1e-9


def test_lvvis_crowds_equal_ytviseval_without_its_rule_of_crowds():
    """120 data sets of 3 videos, every other object a crowd and every track there twice."""
    largest, scored = compare_with_ytviseval(vis_metric(ignore_crowd=False), vis_sets(120, 0.5, True), CrowdsCount)
    assert len(scored) >= 100 and len(set(scored)) > 50
    assert largest < 1e-9


def reference_trackmap(videos, label, exhaustive=True):
    """trackeval's TrackMAP of one category at 10 IoUs, with track ids from 1."""
    program = TrackMAP(dict(USE_AREA_RANGES=False, USE_TIME_RANGES=False, PRINT_CONFIG=False,
                            IOU_THRESHOLDS=np.linspace(0.5, 0.95, 10)))
    results = {}
    for number, video in enumerate(videos):
        truth = [t for t in video.truth() if t.label == label]
        tracks = sorted((t for t in video.tracks if t.label == label), key=lambda t: -t.score)

        def frames(track):
            return {i: s for i, s in enumerate(track.segmentations) if s is not None}

        results[str(number)] = program.eval_sequence(dict(
            gt_track_ids=[i + 1 for i in range(len(truth))], dt_track_ids=[i + 1 for i in range(len(tracks))],
            gt_tracks=[frames(t) for t in truth], dt_tracks=[frames(t) for t in tracks],
            dt_track_scores=np.array([t.score for t in tracks]), iou_type='mask',
            not_exhaustively_labeled=not exhaustive))
    return program.combine_sequences(results)


def test_track_ap_equals_trackmap():
    """250 data sets, per category, the last one not annotated exhaustively."""
    largest, compared = 0, 0
    for seed in range(250):
        videos = [random_video(7000 + 2 * seed + i, video_id=i + 1) for i in range(2)]
        for label in range(3):
            matches = []
            for video in videos:
                truth = [t for t in video.truth() if t.label == label]
                tracks = [t for t in video.tracks if t.label == label]
                ious = track_ious([t.segmentations for t in tracks], [t.segmentations for t in truth])
                matches.append(match_tracks(ious, [t.score for t in tracks], [False] * len(truth),
                                            [label == 2] * len(tracks)))
            ours, reference = average_precision(matches), reference_trackmap(videos, label, exhaustive=label != 2)
            if ours is None:
                assert (reference['AP_all'] == -1).all()
                continue
            compared += 1
            largest = max(largest, np.abs(ours[0] - reference['AP_all']).max(),
                          np.abs(ours[1] - reference['AR_all']).max())
    print('largest difference', largest, 'cases', compared)
    assert compared >= 250 and largest < 1e-9


def test_track_iou_by_hand():
    """One track seen twice of three frames against one seen in other two."""
    full, half, none = np.ones(SHAPE, bool), np.zeros(SHAPE, bool), None
    half[:, :16] = True
    first, second = [rle(full), rle(half), none], [none, rle(full), rle(half)]
    assert track_ious([first], [second])[0, 0] == pytest.approx(0.5 / (1 + 1 + 0.5))
    assert track_ious([[none] * 3], [[none] * 3])[0, 0] == 0
    assert track_ious([], [second]).shape == (0, 1)
    assert mean_area([rle(half), none, rle(np.zeros(SHAPE, bool))]) == half.sum()


def test_vis_sizes_are_the_official_ones():
    """128 x 128 and 256 x 256 pixels of the mask, not of its box, on the mean of the frames that show it."""
    assert VISMetric().area_ranges == {'': (0, 1e10), 's': (0, 16384), 'm': (16384, 65536), 'l': (65536, 1e10)}
    for second, size, others in ((16383, 's', 'ml'), (16385, 'm', 'sl')):
        masks = []
        for area in (16384, second):  # in every second column, so that the box is twice as large
            mask = np.zeros((150, 300), bool)
            mask[:, ::2].flat[:area] = True
            masks.append(rle(mask))
        video = random_video(0, num_frames=3, shape=(150, 300))
        for frame, mask in zip(video.frames, [*masks, None]):  # the frame without a mask does not count
            frame['instances'] = [dict(instance_id=1, bbox_label=0, mask=mask, bbox=None)]
        video.tracks = [Track(1, 0, 1.0, [*masks, None], [None] * 3)]
        metric = VISMetric()
        metric.dataset_meta = dict(classes=NAMES)
        numbers = metric.summarise([metric.score_video(video)])
        assert numbers['AP'] == numbers[f'AP{size}'] == pytest.approx(1)
        assert [numbers[f'AP{other}'] for other in others] == [None, None]


def test_lvvis_subsets_average_over_their_categories():
    """540 videos: base and novel AP are means of TrackMAP's category APs of their partitions."""
    metric = vis_metric(subsets=dict(base=(0, 1), novel=(2, 3)), ignore_crowd=False)
    largest, compared = dict(base=0, novel=0), dict(base=0, novel=0)
    for seed in range(540):
        videos = [random_video(900 + seed, crowd=0.5)]
        numbers = metric.summarise([metric.score_video(video) for video in videos])
        present = {t.label for t in videos[0].truth()}
        for subset, labels in (('base', present & {0, 1}), ('novel', present & {2})):
            values = [reference_trackmap(videos, label)['AP_all'].mean() for label in sorted(labels)]
            assert bool(values) == (numbers[f'AP_{subset}'] is not None)
            if values:
                largest[subset] = max(largest[subset], abs(numbers[f'AP_{subset}'] - np.mean(values)))
            compared[subset] += bool(values)
    print('largest difference', max(largest.values()), 'cases', compared)
    assert min(compared.values()) >= 200 and max(largest.values()) < 1e-9

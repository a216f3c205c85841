"""BDD100K's metrics of tracks against independent programs, on random cases."""
from collections import defaultdict

import numpy as np
from track_references import META, best_pairs, build, plain_box_iou, plain_mask_iou, raw_data
from trackeval.datasets import BDD100K
from trackeval.metrics import CLEAR, HOTA, Identity
from video_cases import decoded, random_video

from projects.glee.evaluation.metrics import BDDTrackMetric


class MaskTracks(BDD100K):
    """trackeval's BDD100K rules for masks given as rows of pixels: only the share in a region is another."""

    def _calculate_box_ious(self, masks, regions, **kwargs):
        assert kwargs['do_ioa']
        return masks @ regions.T / masks.sum(1, keepdims=True)


def with_pixels(video):
    """The video without objects that have no pixel in a frame: these are no objects."""
    for frame in video.frames:
        frame['instances'] = [o for o in frame['instances'] if decoded(o['mask']).any()]
    return video


def compare_with_trackeval(metric, rules, field, similarity, clear_name, seeds):
    """Compare data sets of 2 videos with ignored regions.

    Returns:
        tuple: the largest difference, our mMOTA (mMOTSA), the number of data sets with objects, and of
        categories in which a track was left out for lying in an ignored region.
    """
    dataset, largest, values, compared, dropped = rules.__new__(rules), 0, [], 0, 0
    dataset.class_name_to_class_id = {name: i for i, name in enumerate(META['classes'])}
    programs = {'mHOTA': (HOTA(), 'HOTA'), clear_name: (CLEAR(dict(PRINT_CONFIG=False)), 'MOTA'),
                'mIDF1': (Identity(dict(PRINT_CONFIG=False)), 'IDF1')}
    for seed in seeds:
        videos = [with_pixels(random_video(9000 + 2 * seed + i, video_id=i + 1, crowd=0.3)) for i in range(2)]
        raw, expected = [raw_data(video, field, similarity)[0] for video in videos], defaultdict(list)
        for label, name in enumerate(META['classes']):
            prepared = [dataset.get_preprocessed_seq_data(data, name) for data in raw]
            kept = sum(p['num_tracker_dets'] for p in prepared)
            dropped += kept < sum((classes == label).sum() for data in raw for classes in data['tracker_classes'])
            if not any(p['num_gt_dets'] for p in prepared):
                continue
            for key, (program, result) in programs.items():
                combined = program.combine_sequences({str(i): program.eval_sequence(p) for i, p in enumerate(prepared)})
                expected[key].append(np.mean(combined[result]))
        ours = metric.summarise([metric.score_video(video) for video in videos])
        assert set(ours) == set(programs)
        assert {key for key in ours if ours[key] is not None} == set(expected)
        largest = max(largest, *(abs(ours[key] - np.mean(expected[key])) for key in expected), 0)
        values.append(ours[clear_name])
        compared += any(expected.values())
    print('largest difference', largest, 'cases', compared, 'categories with dropped tracks', dropped)
    return largest, values, compared, dropped


def test_bdd_boxes_equal_trackeval():
    """230 data sets with ignored regions; IDF1, MOTA and HOTA per category."""
    largest, values, compared, dropped = compare_with_trackeval(
        build(BDDTrackMetric()), BDD100K, 'bboxes', plain_box_iou, 'mMOTA', range(230))
    assert compared >= 200 and dropped >= 50 and len(set(values)) > 60 and largest < 1e-9


def test_bdd_masks_equal_trackeval():
    """230 data sets with ignored regions; IDF1, MOTSA and HOTA of masks per category."""
    largest, values, compared, dropped = compare_with_trackeval(
        build(BDDTrackMetric(iou_type='segm')), MaskTracks, 'segmentations', plain_mask_iou, 'mMOTSA', range(230))
    assert compared >= 200 and dropped >= 50 and len(set(values)) > 60 and largest < 1e-9


def plain_motsa(video, label):
    """(TP, FP, id switches, objects) of masks, by CLEAR's rules written out, without ignored regions."""
    tp = fp = switches = objects = 0
    last, previous = {}, {}
    for i in range(len(video.frames)):
        gt = [(t.instance_id, t.segmentations[i]) for t in video.truth()
              if t.label == label and t.segmentations[i] is not None]
        dt = [(t.instance_id, t.segmentations[i]) for t in video.tracks
              if t.label == label and t.segmentations[i] is not None]
        objects += len(gt)
        if not gt or not dt:
            fp += len(dt)
            continue
        ious = np.array([[plain_mask_iou(g[1], d[1]) for d in dt] for g in gt])
        weights = np.array([[0 if ious[r, c] < 0.5 - 1e-12 else ious[r, c] + 1000 * (previous.get(g[0]) == d[0])
                             for c, d in enumerate(dt)] for r, g in enumerate(gt)])
        pairs = [(gt[r][0], dt[c][0]) for r, c in best_pairs(weights) if weights[r, c] > 1e-12]
        tp, fp = tp + len(pairs), fp + len(dt) - len(pairs)
        switches += sum(g in last and last[g] != d for g, d in pairs)
        last.update(pairs)
        previous = dict(pairs)
    return tp, fp, switches, objects


def test_bdd_masks_equal_a_plain_computation():
    """mMOTSA of 300 videos."""
    metric, largest, values = build(BDDTrackMetric(iou_type='segm')), 0, []
    for seed in range(300):
        video, expected = with_pixels(random_video(12000 + seed)), []
        for label in range(3):
            tp, fp, switches, objects = plain_motsa(video, label)
            if objects:
                expected.append((tp - fp - switches) / objects)
        ours = metric.summarise([metric.score_video(video)])['mMOTSA']
        assert (ours is None) == (not expected)
        if expected:
            largest = max(largest, abs(ours - np.mean(expected)))
            values.append(ours)
    compared = len(values)
    print('largest difference', largest, 'cases', compared)
    assert compared >= 200 and len(set(values)) > 20 and largest < 1e-9

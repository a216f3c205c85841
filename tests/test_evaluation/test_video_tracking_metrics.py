"""TETA, BURST and BDD metrics against independent programs, on random cases."""
import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from trackeval.datasets import BDD100K, BURST
from trackeval.metrics import CLEAR, HOTA, Identity, TrackMAP
from video_cases import decoded, random_video

from projects.glee.evaluation import BDDTrackMetric, BURSTMetric, TETAMetric
from projects.glee.models.trackers import Track

META = dict(classes=('class 0', 'class 1', 'class 2'), category_ids=(3, 7, 9))


def build(metric):
    metric.dataset_meta = META
    return metric


def plain_box_iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = max(w, 0) * max(h, 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union if union > 0 else 0


def plain_mask_iou(a, b):
    a, b = decoded(a), decoded(b)
    return (a & b).sum() / max((a | b).sum(), 1)


def best_pairs(weights):
    """Assignment of the largest sum, by trying all; rows x columns of at most 5."""
    rows, columns = weights.shape
    if not rows or not columns:
        return []
    if rows <= columns:
        options = ([(r, c) for r, c in enumerate(p)] for p in itertools.permutations(range(columns), rows))
    else:
        options = ([(r, c) for c, r in enumerate(p)] for p in itertools.permutations(range(rows), columns))
    return max(options, key=lambda pairs: sum(weights[p] for p in pairs))


# ---- TETA, written out plainly ----
def plain_frames(video):
    """Per annotated frame: objects and tracks as (id, label, box)."""
    frames = []
    for i, frame in enumerate(video.frames):
        if frame['annotated']:
            truth = [(o.instance_id, o.label, o.bboxes[i]) for o in video.truth() if o.bboxes[i] is not None]
            tracks = [(n, t.label, t.bboxes[i]) for n, t in enumerate(video.tracks) if t.bboxes[i] is not None]
            frames.append((truth, tracks))
    return frames


def plain_alignment(frames):
    """HOTA's global alignment of every (object, track)."""
    soft, truths, tracks = Counter(), Counter(), Counter()
    for gt, dt in frames:
        sim = {(g[0], d[0]): plain_box_iou(g[2], d[2]) for g in gt for d in dt}
        truths.update(g[0] for g in gt)
        tracks.update(d[0] for d in dt)
        for (g, d), value in sim.items():
            total = sum(v for (a, _), v in sim.items() if a == g) + sum(
                v for (_, b), v in sim.items() if b == d) - value
            if total > 1e-12:
                soft[g, d] += value / total
    return defaultdict(float, {(g, d): v / (truths[g] + tracks[d] - v) for (g, d), v in soft.items()})


def plain_match(gt, dt, alignment):
    """Pairs (object, track, IoU) of one frame."""
    weights = np.array([[alignment[g[0], d[0]] * plain_box_iou(g[2], d[2]) for d in dt] for g in gt])
    weights = weights.reshape(len(gt), len(dt))
    return [(gt[r], dt[c], plain_box_iou(gt[r][2], dt[c][2])) for r, c in best_pairs(weights)]


def plain_teta(videos):
    """TETA from its definition."""
    alphas = [0.05 * i for i in range(20)]
    total = defaultdict(lambda: defaultdict(lambda: np.zeros(20)))
    for video in videos:
        frames = plain_frames(video)
        whole = plain_alignment(frames)
        owner = [{g[0]: d[0] for g, d, iou in plain_match(gt, dt, whole) if iou >= 0.5 - 1e-12}
                 for gt, dt in frames]
        for label in sorted({g[1] for gt, _ in frames for g in gt}):
            near = []
            for (gt, dt), owned in zip(frames, owner):
                mine = [g for g in gt if g[1] == label]
                foreign = {d for g, d in owned.items() if g not in [m[0] for m in mine]}
                near.append({d[0] for d in dt if d[0] not in foreign
                             and any(plain_box_iou(g[2], d[2]) >= 0.5 - 1e-12 for g in mine)})
            kept = set().union(*near)
            part = [([g for g in gt if g[1] == label], [d for d in dt if d[0] in kept]) for gt, dt in frames]
            alignment = plain_alignment(part)
            truths, tracks = Counter(g[0] for gt, _ in part for g in gt), Counter(d[0] for _, dt in part for d in dt)
            for a, alpha in enumerate(alphas):
                together = Counter()
                for (gt, dt), close in zip(part, near):
                    pairs = [(g, d) for g, d, iou in plain_match(gt, dt, alignment) if iou >= alpha - 1e-12]
                    total[label]['tp'][a] += len(pairs)
                    total[label]['fn'][a] += len(gt) - len(pairs)
                    total[label]['fp'][a] += len(close - {d[0] for _, d in pairs})
                    for g, d in pairs:
                        together[g[0], d[0]] += 1
                        total[label]['right' if d[1] == label else 'wrong'][a] += 1
                        if d[1] != label:
                            total[d[1]]['blamed'][a] += 1
                total[label]['assoc'][a] += sum(
                    n * n / (truths[g] + tracks[d] - n) for (g, d), n in together.items())
    rows = []
    for count in total.values():
        if (count['tp'] + count['fn']).any():
            loc = count['tp'] / np.maximum(1, count['tp'] + count['fn'] + count['fp'])
            cls = count['right'] / np.maximum(1, count['right'] + count['wrong'] + count['blamed'])
            rows.append((loc.mean(), (count['assoc'] / np.maximum(1, count['tp'])).mean(), cls[10:].mean()))
    loc, assoc, cls = np.mean(rows, 0) if rows else (0, 0, 0)
    return dict(TETA=(loc + assoc + cls) / 3, LocA=loc, AssocA=assoc, ClsA=cls)


def test_teta_equals_a_plain_computation():
    """200 data sets of 2 videos; assignments by trying all."""
    metric, largest, values = build(TETAMetric()), 0, []
    for seed in range(200):
        videos = [random_video(2 * seed + i, video_id=i + 1, all_annotated=False) for i in range(2)]
        ours, reference = metric.summarise([metric.score_video(v) for v in videos]), plain_teta(videos)
        largest = max(largest, *(abs(ours[key] - reference[key]) for key in reference))
        values.append(ours['TETA'])
    print('largest difference', largest)
    assert len({round(v, 6) for v in values}) > 100 and largest < 1e-9


def test_teta_of_a_perfect_and_of_a_renamed_prediction():
    """Perfect tracks score 1; wrong names keep LocA and AssocA and lose ClsA."""
    video = random_video(0, num_frames=4)
    for frame in video.frames:
        frame['instances'] = [dict(instance_id=i + 1, bbox_label=i, bbox=[9. * i, 2., 9. * i + 8, 9.])
                              for i in range(3) if i != frame['frame_id']]
    video.tracks = [Track(t.instance_id, t.label, 1.0, [None] * 4, t.bboxes) for t in video.truth()]
    metric = build(TETAMetric())
    perfect = metric.summarise([metric.score_video(video)])
    assert perfect == pytest.approx(dict(TETA=1, LocA=1, AssocA=1, ClsA=1))
    for track in video.tracks:
        track.label = (track.label + 1) % 3
    renamed = metric.summarise([metric.score_video(video)])
    assert renamed == pytest.approx(dict(TETA=2 / 3, LocA=1, AssocA=1, ClsA=0))


# ---- trackeval's own data sets, fed with the same video ----
def raw_data(video, field, similarity):
    """What trackeval's loaders make of a video."""
    frames = [i for i, frame in enumerate(video.frames) if frame['annotated']]
    truth, tracks = [t for t in video.truth() if not t.ignore], video.tracks
    data = defaultdict(list)
    for i in frames:
        gt = [(n, t) for n, t in enumerate(truth) if getattr(t, field)[i] is not None]
        dt = [(n, t) for n, t in enumerate(tracks) if getattr(t, field)[i] is not None]
        crowds = [t for t in video.truth() if t.ignore and getattr(t, field)[i] is not None]
        for name, group in (('gt', gt), ('tracker', dt)):
            data[f'{name}_ids'].append(np.array([n for n, _ in group], int))
            data[f'{name}_classes'].append(np.array([t.label for _, t in group], int))
            data[f'{name}_dets'].append(np.array([t.bboxes[i] for _, t in group]).reshape(-1, 4))
        data['tracker_confidences'].append(np.array([t.score for _, t in dt]))
        data['gt_crowd_ignore_regions'].append(np.array([t.bboxes[i] for t in crowds]).reshape(-1, 4))
        data['similarity_scores'].append(np.array(
            [[similarity(getattr(g, field)[i], getattr(d, field)[i]) for _, d in dt] for _, g in gt]).reshape(
                len(gt), len(dt)))
    data.update(num_timesteps=len(frames), seq='video')
    return dict(data), frames, truth


def test_teta_association_equals_hota():
    """200 data sets of one category: AssocA is trackeval's AssA of the tracks that come near an object."""
    metric, program, largest, values = build(TETAMetric()), HOTA(), 0, []
    program.array_labels = np.arange(20) * 0.05  # TETA also takes 0
    for seed in range(200):
        videos = [random_video(20000 + 2 * seed + i, num_classes=1, video_id=i + 1, all_annotated=False)
                  for i in range(2)]
        results = {}
        for number, video in enumerate(videos):
            near = {d[0] for gt, dt in plain_frames(video) for d in dt
                    if any(plain_box_iou(g[2], d[2]) >= 0.5 - 1e-12 for g in gt)}
            everything, video.tracks = video.tracks, [t for n, t in enumerate(video.tracks) if n in near]
            data = raw_data(video, 'bboxes', plain_box_iou)[0]
            video.tracks = everything
            data.setdefault('similarity_scores', [])  # no frame is annotated
            data.update(num_gt_ids=len(video.truth()), num_tracker_ids=len(near))
            for kind in ('gt', 'tracker'):
                data[f'num_{kind}_dets'] = sum(map(len, data.setdefault(f'{kind}_ids', [])))
            results[str(number)] = program.eval_sequence(data)
        reference = program.combine_sequences(results)['AssA'].mean()
        values.append(metric.summarise([metric.score_video(video) for video in videos])['AssocA'])
        largest = max(largest, abs(values[-1] - reference))
    print('largest difference', largest)
    assert len({round(v, 6) for v in values}) > 80 and largest < 1e-9


def burst_reference(videos):
    """HOTA per category by trackeval's BURST rules and mAP by TrackMAP."""
    dataset, hota = BURST.__new__(BURST), HOTA()
    track_map = TrackMAP(dict(USE_AREA_RANGES=False, USE_TIME_RANGES=False, PRINT_CONFIG=False,
                              IOU_THRESHOLDS=np.linspace(0.5, 0.95, 10)))
    dataset.config = dict(EXEMPLAR_GUIDED=False)
    dataset.class_name_to_class_id = {name: i for i, name in enumerate(META['classes'])}
    hotas, maps = {}, {}
    for label, name in enumerate(META['classes']):
        results, track_results, seen = {}, {}, False
        for number, video in enumerate(videos):
            data, frames, truth = raw_data(video, 'segmentations', plain_mask_iou)
            negative = META['category_ids'][label] in video.info['neg_category_ids']
            data['neg_cat_ids'] = [label] if negative else []
            data['not_exhaustively_labeled_cls'] = [
                META['category_ids'].index(c) for c in video.info['not_exhaustive_category_ids']]

            def of_label(tracks, key):
                chosen = [t for t in tracks if t.label == label]
                if key == 'tracks':
                    return [{i: t.segmentations[i] for i in frames if t.segmentations[i] is not None} for t in chosen]
                return [n + 1 for n in range(len(chosen))]

            for prefix, tracks in (('gt', truth), ('dt', video.tracks)):
                for key in ('tracks', 'track_ids'):
                    data[f'classes_to_{prefix}_{key}'] = {label: of_label(tracks, key)}
                for key in ('lengths', 'areas'):
                    data[f'classes_to_{prefix}_track_{key}'] = {label: [1] * len(of_label(tracks, 'track_ids'))}
            data['classes_to_dt_track_scores'] = {label: [t.score for t in video.tracks if t.label == label]}
            own = dataset.get_preprocessed_seq_data(data, name)
            results[str(number)] = hota.eval_sequence(own)
            seen |= own['num_gt_dets'] > 0
            if own['gt_tracks'] or negative:
                own['dt_track_scores'] = np.array(own['dt_track_scores'], float)
                track_results[str(number)] = track_map.eval_sequence(own)
        if seen:
            hotas[label] = hota.combine_sequences(results)['HOTA'].mean()
        if track_results:
            value = track_map.combine_sequences(track_results)['AP_all']
            if (value > -1).all():
                maps[label] = value.mean()
    return hotas, maps


def test_burst_equals_trackeval():
    """200 data sets of 2 videos with negative and not exhaustive categories."""
    metric, largest, values = build(BURSTMetric(common=(3, 7))), 0, []
    for seed in range(200):
        videos = [random_video(4000 + 2 * seed + i, video_id=i + 1, all_annotated=False) for i in range(2)]
        for video in videos:
            rng, present = np.random.default_rng(seed), {t.label for t in video.truth()}
            video.info['neg_category_ids'] = [
                c for i, c in enumerate(META['category_ids']) if i not in present and rng.random() < 0.5]
            video.info['not_exhaustive_category_ids'] = [c for c in META['category_ids'] if rng.random() < 0.3]
            for frame in video.frames:  # objects without pixels are no objects
                frame['instances'] = [o for o in frame['instances'] if decoded(o['mask']).any()]
        hotas, maps = burst_reference(videos)
        ours = metric.summarise([metric.score_video(video) for video in videos])
        for group, members in (('', (0, 1, 2)), ('_common', (0, 1)), ('_uncommon', (2, ))):
            for name, reference in (('HOTA', hotas), ('mAP', maps)):
                chosen = [v for k, v in reference.items() if k in members]
                expected = np.mean(chosen) if chosen else -1
                largest = max(largest, abs(ours[name + group] - expected))
        values.append(ours['HOTA'])
    print('largest difference', largest)
    assert len(set(values)) > 100 and largest < 1e-9


def test_bdd_boxes_equal_trackeval():
    """200 data sets of 2 videos with ignored regions; IDF1, MOTA and HOTA per category."""
    metric, largest, values = build(BDDTrackMetric()), 0, []
    dataset = BDD100K.__new__(BDD100K)
    dataset.class_name_to_class_id = {name: i for i, name in enumerate(META['classes'])}
    programs = dict(mHOTA=(HOTA(), 'HOTA'), mMOTA=(CLEAR(dict(PRINT_CONFIG=False)), 'MOTA'),
                    mIDF1=(Identity(dict(PRINT_CONFIG=False)), 'IDF1'))
    for seed in range(200):
        videos = [random_video(9000 + 2 * seed + i, video_id=i + 1, crowd=0.3) for i in range(2)]
        expected = defaultdict(list)
        for label, name in enumerate(META['classes']):
            prepared = [dataset.get_preprocessed_seq_data(raw_data(v, 'bboxes', plain_box_iou)[0], name)
                        for v in videos]
            if not any(p['num_gt_dets'] for p in prepared):
                continue
            for key, (program, field) in programs.items():
                combined = program.combine_sequences({str(i): program.eval_sequence(p) for i, p in enumerate(prepared)})
                expected[key].append(np.mean(combined[field]))
        ours = metric.summarise([metric.score_video(video) for video in videos])
        for key in programs:
            largest = max(largest, abs(ours[key] - (np.mean(expected[key]) if expected[key] else 0)))
        values.append(ours['mMOTA'])
    print('largest difference', largest)
    assert len(set(values)) > 60 and largest < 1e-9


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
    """mMOTSA of 200 videos."""
    metric, largest, values = build(BDDTrackMetric(iou_type='segm')), 0, []
    for seed in range(200):
        video, expected = random_video(12000 + seed), []
        for frame in video.frames:
            frame['instances'] = [o for o in frame['instances'] if decoded(o['mask']).any()]
        for label in range(3):
            tp, fp, switches, objects = plain_motsa(video, label)
            if objects:
                expected.append((tp - fp - switches) / objects)
        ours = metric.summarise([metric.score_video(video)])['mMOTSA']
        largest = max(largest, abs(ours - (np.mean(expected) if expected else 0)))
        values.append(ours)
    print('largest difference', largest)
    assert len(set(values)) > 20 and largest < 1e-9

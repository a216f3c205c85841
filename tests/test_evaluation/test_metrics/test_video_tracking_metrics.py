"""TETA and BURST metrics against independent programs, on random cases."""
import json
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mmdet.registry import METRICS
from mmengine.config import Config
from paths import config_file
from rle import rle
from track_references import META, best_pairs, build, plain_box_iou, plain_mask_iou, raw_data
from trackeval.datasets import BURST, burst_helpers
from trackeval.metrics import HOTA, TrackMAP
from video_cases import SHAPE, decoded, random_video

from projects.glee.evaluation.metrics import BURSTMetric, TETAMetric
from projects.glee.evaluation.metrics.burst_metric import tao_common_ids, tao_distractor_ids
from projects.glee.miniworld.formats.tao import CATEGORY_IDS
from projects.glee.structures import Track


# ---- TETA, written out plainly ----
def plain_frames(video, merged=(0, 1, 2), cap=None):
    """Per frame with an object: objects and tracks as (id, label, box), in the order of the files.

    ``merged``: what each label counts as. ``cap``: tracks of a frame; where there are more, the best in order.
    """
    frames = []
    for i, frame in enumerate(video.frames):
        if frame['annotated'] and frame['instances']:
            truth = [(o['instance_id'], merged[o['bbox_label']], o['bbox']) for o in frame['instances']]
            shown = [(n, t) for n, t in enumerate(video.tracks) if t.bboxes[i] is not None]
            if cap is not None and len(shown) > cap:
                shown = sorted(shown, key=lambda pair: -pair[1].score)[:cap]
            frames.append((truth, [(n, merged[t.label], t.bboxes[i]) for n, t in shown]))
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


def plain_teta(videos, merged=(0, 1, 2), cap=None):
    """TETA from its definition; empty without an object."""
    alphas = [0.05 * i for i in range(20)]
    total = defaultdict(lambda: defaultdict(lambda: np.zeros(20)))
    for video in videos:
        frames = plain_frames(video, merged, cap)
        overlapping = {d[0] for gt, dt in frames for d in dt for g in gt if plain_box_iou(g[2], d[2]) >= 0.5}
        assigned = [(gt, [d for d in dt if d[0] in overlapping]) for gt, dt in frames]
        whole = plain_alignment(assigned)
        owner = [{g[0]: d[0] for g, d, iou in plain_match(gt, dt, whole) if iou >= 0.5 - 1e-12}
                 for gt, dt in assigned]
        for label in sorted({g[1] for gt, _ in frames for g in gt}):
            near = []
            for (gt, dt), owned in zip(frames, owner):
                mine = [g for g in gt if g[1] == label]
                foreign = {d for g, d in owned.items() if g not in [m[0] for m in mine]}
                near.append({d[0] for d in dt if d[0] not in foreign
                             and any(plain_box_iou(g[2], d[2]) >= 0.5 for g in mine)})
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
    if not rows:
        return {}
    loc, assoc, cls = np.mean(rows, 0)
    return dict(TETA=(loc + assoc + cls) / 3, LocA=loc, AssocA=assoc, ClsA=cls)


def test_teta_equals_a_plain_computation():
    """450 data sets of 2 videos, in every second one some categories are merged, in every third one a frame has two
    tracks at most; assignments by trying all."""
    largest, values, compared, changed = 0, [], [0, 0], 0
    for seed in range(450):
        cap = None if seed % 3 else 2
        metric = build(TETAMetric(max_per_frame=cap))
        merged = ((0, 0, 2), (0, 2, 2), (1, 1, 1))[seed // 2 % 3] if seed % 2 else (0, 1, 2)
        metric.dataset_meta = dict(META, merged_labels=merged) if seed % 2 else META
        videos = [random_video(2 * seed + i, video_id=i + 1, all_annotated=False) for i in range(2)]
        ours, reference = metric.summarise([metric.score_video(v) for v in videos]), plain_teta(videos, merged, cap)
        assert set(reference) == {key for key in ours if ours[key] is not None}
        largest = max(largest, *(abs(ours[key] - reference[key]) for key in reference), 0)
        compared[seed % 2] += bool(reference)
        changed += seed % 2 and plain_teta(videos, cap=cap) != reference
        values.append(ours['TETA'])
    print('largest difference', largest, 'cases', compared, 'of which merging changes', changed)
    assert min(compared) >= 200 and changed >= 80
    assert len({round(v, 6) for v in values if v is not None}) > 200 and largest < 1e-9


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


def test_teta_association_equals_hota():
    """240 data sets of one category: AssocA is trackeval's AssA of the tracks that come near an object."""
    metric, program, largest, values = build(TETAMetric()), HOTA(), 0, []
    program.array_labels = np.arange(20) * 0.05  # TETA also takes 0
    for seed in range(240):
        videos = [random_video(20000 + 2 * seed + i, num_classes=1, video_id=i + 1, all_annotated=False)
                  for i in range(2)]
        results = {}
        for number, video in enumerate(videos):
            near = {d[0] for gt, dt in plain_frames(video) for d in dt
                    if any(plain_box_iou(g[2], d[2]) >= 0.5 for g in gt)}
            everything, video.tracks = video.tracks, [t for n, t in enumerate(video.tracks) if n in near]
            for frame in video.frames:
                frame['annotated'] &= bool(frame['instances'])
            data = raw_data(video, 'bboxes', plain_box_iou)[0]
            video.tracks = everything
            data.setdefault('similarity_scores', [])  # no frame is annotated
            data.update(num_gt_ids=len(video.truth()), num_tracker_ids=len(near))
            for kind in ('gt', 'tracker'):
                data[f'num_{kind}_dets'] = sum(map(len, data.setdefault(f'{kind}_ids', [])))
            results[str(number)] = program.eval_sequence(data)
        reference = program.combine_sequences(results)['AssA'].mean()
        ours = metric.summarise([metric.score_video(video) for video in videos])['AssocA']
        assert (ours is None) == (not any(gt for video in videos for gt, _ in plain_frames(video)))
        if ours is not None:
            values.append(ours)
            largest = max(largest, abs(ours - reference))
    compared = len(values)
    print('largest difference', largest, 'cases', compared)
    assert compared >= 200 and len({round(v, 6) for v in values}) > 80 and largest < 1e-9


def burst_truth(videos, category_ids):
    """The content of all_classes.json: masks of the annotated frames."""
    sequences = []
    for video in videos:
        frames = [frame for frame in video.frames if frame['annotated']]
        sequences.append(dict(
            id=video.video_id, dataset='video', seq_name=str(video.video_id), width=SHAPE[1], height=SHAPE[0],
            neg_category_ids=video.info['neg_category_ids'],
            not_exhaustive_category_ids=video.info['not_exhaustive_category_ids'],
            annotated_image_paths=[Path(frame['img_path']).name for frame in frames],
            track_category_ids={str(t.instance_id): category_ids[t.label] for t in video.truth()},
            segmentations=[{str(o['instance_id']): dict(rle=o['mask']['counts']) for o in frame['instances']}
                           for frame in frames]))
    return dict(split='val', sequences=sequences)


def burst_reference(videos, category_ids, metric, folder):
    """HOTA and mAP per category id by trackeval's BURST program, which reads the file that the metric writes."""
    for name in ('truth', 'tracks/ours/data'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / 'truth/all_classes.json').write_text(json.dumps(burst_truth(videos, category_ids)))
    metric.outfile_prefix = f'{folder}/tracks/ours/data/results'
    metric.write([metric.submission(video) for video in videos])
    dataset = BURST(dict(GT_FOLDER=f'{folder}/truth', TRACKERS_FOLDER=f'{folder}/tracks', PRINT_CONFIG=False,
                         MAX_DETECTIONS=metric.max_per_frame))
    programs, numbers = (HOTA(), TrackMAP(dict(PRINT_CONFIG=False))), {}
    raw = {name: dataset.get_raw_seq_data('ours', name) for name in sorted(dataset.seq_list)}
    for name, category in dataset.class_name_to_class_id.items():
        data = {sequence: dataset.get_preprocessed_seq_data(content, name) for sequence, content in raw.items()}
        hota, track_map = (program.combine_sequences({
            sequence: program.eval_sequence(content) for sequence, content in data.items()}) for program in programs)
        numbers[category] = dict(HOTA=hota['HOTA'].mean(), mAP=track_map['AP_all'].mean())
    return numbers


def burst_videos(seed, num_classes):
    """Two videos, some frames without annotation; objects without pixels are no objects."""
    videos = [random_video(4000 + 2 * seed + i, num_classes=num_classes, video_id=i + 1, all_annotated=False)
              for i in range(2)]
    for video in videos:
        for frame in video.frames:
            frame['instances'] = [o for o in frame['instances'] if decoded(o['mask']).any()]
    return videos


def test_burst_equals_trackeval(tmp_path):
    """500 data sets of 2 videos: negative, not exhaustive, and (id 20) distractor categories; capped frames."""
    ids, largest, values, counts = (4, 13, 9, 20), 0, [], Counter()  # TAO's ids; the first two are common
    for seed in range(500):
        videos = burst_videos(seed, 4)
        metric = BURSTMetric(max_per_frame=2 if seed % 2 else 300)
        metric.dataset_meta = dict(classes=tuple(f'class {i}' for i in range(4)), category_ids=ids)
        for video in videos:
            rng, present = np.random.default_rng(seed), {t.label for t in video.truth()}
            video.info['neg_category_ids'] = [c for i, c in enumerate(ids) if i not in present and rng.random() < 0.5]
            video.info['not_exhaustive_category_ids'] = [c for c in ids if rng.random() < 0.3]
        reference = burst_reference(videos, ids, metric, tmp_path)
        ours = metric.summarise([metric.score_video(video) for video in videos])
        for group, members in (('', (4, 13, 9)), ('_common', (4, 13)), ('_uncommon', (9, ))):
            for name in ('HOTA', 'mAP'):
                chosen = [numbers[name] for category, numbers in reference.items() if category in members]
                assert bool(chosen) == (ours[name + group] is not None)
                if chosen:
                    largest = max(largest, abs(ours[name + group] - np.mean(chosen)))
                    counts[name + group] += 1
        counts['distractor'] += any(t.label == 3 for video in videos for t in video.truth())
        values.append(ours['HOTA'])
    print('largest difference', largest, 'cases', counts)
    assert len(counts) == 7 and min(counts.values()) >= 200
    assert len(set(values)) > 200 and largest < 1e-9


def test_class_agnostic_burst_equals_trackeval(tmp_path):
    """240 data sets of 2 videos: all categories as one, which is annotated exhaustively everywhere."""
    metric, largest, values = build(BURSTMetric(class_agnostic=True)), 0, []
    for seed in range(240):
        videos = burst_videos(1000 + seed, 3)
        rng = np.random.default_rng(seed)
        metric.dataset_meta = dict(META, category_ids=(20, 7, 9))  # the id of a distractor does not matter here
        for video in videos:  # rules of categories do not hold here
            video.info['neg_category_ids'] = []
            video.info['not_exhaustive_category_ids'] = [c for c in (20, 7, 9) if rng.random() < 0.3]
        ours = metric.summarise([metric.score_video(video) for video in videos])
        for video in videos:
            video.info.update(neg_category_ids=[4], not_exhaustive_category_ids=[])
            video.tracks = [replace(track, label=0) for track in video.tracks]
            for frame in video.frames:
                frame['instances'] = [dict(o, bbox_label=0) for o in frame['instances']]
        metric.dataset_meta = dict(classes=('one', ), category_ids=(4, ))
        reference = burst_reference(videos, (4, ), metric, tmp_path).get(4)
        assert set(ours) == {'HOTA', 'mAP'} and (reference is None) == (ours['HOTA'] is None)
        if reference is not None:
            largest = max(largest, *(abs(ours[name] - reference[name]) for name in ours))
            values.append(ours['HOTA'])
    print('largest difference', largest, 'cases', len(values))
    assert len(values) >= 200 and len(set(values)) > 150 and largest < 1e-9


def test_burst_hota_of_masks_equals_trackeval():
    """100 data sets of 2 videos of one category: HOTA with the IoU of masks, which BURST's program does not take."""
    metric, program, largest, values = build(BURSTMetric(class_agnostic=True, hota_iou_type='segm')), HOTA(), 0, []
    for seed in range(100):
        videos, results = burst_videos(2000 + seed, 1), {}
        ours = metric.summarise([metric.score_video(video) for video in videos])['HOTA']
        for number, video in enumerate(videos):
            for frame in video.frames:
                frame['annotated'] &= bool(frame['instances'])
            data = dict(dict(similarity_scores=[]), **raw_data(video, 'segmentations', plain_mask_iou)[0])
            for kind, tracks in (('gt', video.truth()), ('tracker', video.tracks)):
                data[f'num_{kind}_ids'] = len(tracks)
                data[f'num_{kind}_dets'] = sum(map(len, data.setdefault(f'{kind}_ids', [])))
            results[str(number)] = program.eval_sequence(data)
        if ours is not None:
            values.append(ours)
            largest = max(largest, abs(ours - program.combine_sequences(results)['HOTA'].mean()))
    print('largest difference', largest, 'cases', len(values))
    assert len(values) >= 80 and len(set(values)) > 60 and largest < 1e-9


def test_burst_counts_300_masks_of_a_frame():
    """The mask of least score counts beside 299 others and not beside 300."""
    target, other = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    target[:9, :9], other[12:, 12:] = True, True
    video = random_video(0, num_frames=1)
    video.frames[0]['instances'] = [dict(instance_id=1, bbox_label=0, mask=rle(target), bbox=None)]
    for others, found in ((299, True), (300, False)):
        video.tracks = [Track(n + 1, 0, 0.9, [rle(other)], [None]) for n in range(others)]
        video.tracks.append(Track(others + 1, 0, 0.5, [rle(target)], [None]))
        metric = build(BURSTMetric())
        numbers = metric.summarise([metric.score_video(video)])
        # HOTA: one of 300 tracks is right in all it does; AP: precision 1/300 at every recall
        assert numbers['HOTA'] == pytest.approx((1 / 300)**0.5 if found else 0)
        assert numbers['mAP'] == pytest.approx(1 / 300 if found else 0)


def test_lists_of_burst_categories(tmp_path):
    """78 common ids that bear COCO's names, 45 distractors that trackeval's BURST leaves out of a file of all ids."""
    names_file = Path(burst_helpers.__file__).parent / 'tao_categories.json'
    categories = json.loads(names_file.read_text())
    common, distractors = tao_common_ids(), tao_distractor_ids()
    assert (len(common), len(distractors), len(common & distractors)) == (78, 45, 0)
    mask = rle(np.ones(SHAPE, bool))['counts']
    ids = {str(number): category['id'] for number, category in enumerate(categories, 1)}
    sequence = dict(id=1, dataset='d', seq_name='s', width=SHAPE[1], height=SHAPE[0], neg_category_ids=[],
                    not_exhaustive_category_ids=[], annotated_image_paths=['frame0001.jpg'], track_category_ids=ids,
                    segmentations=[{number: dict(rle=mask, score=1.0) for number in ids}])
    for folder in ('truth', 'tracks/ours/data'):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / 'x.json').write_text(json.dumps(dict(sequences=[sequence], split='val')))
    program = BURST(dict(GT_FOLDER=str(tmp_path / 'truth'), TRACKERS_FOLDER=str(tmp_path / 'tracks'),
                         PRINT_CONFIG=False))
    merged = {other['id'] for category in categories for other in category.get('merged', ())}
    left_out = set(ids.values()) - set(program.class_name_to_class_id.values())
    assert len(ids) == 1230 and left_out - merged == distractors - merged and len(distractors - merged) == 42
    names = {category['name'] for category in categories if category['id'] in common}
    assert {'zebra', 'giraffe', 'pizza', 'toothbrush', 'stop_sign', 'surfboard'} < names  # a sample of COCO's


def test_miniworld_keeps_categories_with_the_ids_of_distractors():
    """Its config scores id 20; that of a full size, made for BURST's ids, leaves it out."""
    assert len(set(CATEGORY_IDS.values()) & tao_distractor_ids()) == 7  # why its config must say so
    video = random_video(0, num_frames=2)
    for frame in video.frames:
        frame['instances'] = [dict(instance_id=1, bbox_label=0, mask=rle(np.ones(SHAPE, bool)), bbox=None)]
    video.tracks = [Track(1, 0, 1.0, [t['instances'][0]['mask'] for t in video.frames], [None] * 2)]
    for size, expected in (('mini', 1), ('r50', None)):
        metric = METRICS.build(Config.fromfile(config_file(f'glee_{size}_burst')).test_evaluator)
        metric.dataset_meta = dict(classes=('class 0', ), category_ids=(20, ))
        numbers = metric.summarise([metric.score_video(video)])
        assert [numbers['HOTA'], numbers['mAP']] == [pytest.approx(expected)] * 2

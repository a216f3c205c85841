"""J, F, VOS and RVOS metrics against independent programs, on random cases."""
import numpy as np
import pytest
from rle import rle
from track_references import best_pairs
from trackeval.metrics import JAndF
from video_cases import SHAPE, blob, decoded, noisy, random_video

from projects.glee.evaluation.functional.j_and_f import contour_accuracy, region_similarity
from projects.glee.evaluation.metrics import (
    DavisVOSMetric,
    ExpressionJFMetric,
    ReasonVOSMetric,
    RefDavisMetric,
    ReVOSMetric,
    YouTubeVOSMetric,
)
from projects.glee.structures import Track


def reference_jf(found, wanted):
    """trackeval's static J and F of two bool masks."""
    found, wanted = rle(found), rle(wanted)
    j = JAndF._compute_j([[wanted]], [[found]], 1, 1, 1)[0, 0, 0]
    return j, JAndF._compute_f([[wanted]], [[found]], 0, 0, 0.008)[0]


def test_j_and_f_equal_trackeval():
    """500 pairs of masks of several sizes, empty and full ones among them."""
    largest = 0
    for seed in range(500):
        rng = np.random.default_rng(seed)
        shape = [(24, 32), (5, 7), (120, 160), (1, 9)][seed % 4]
        wanted = blob(rng, shape) if min(shape) > 1 else rng.random(shape) > 0.5
        found = noisy(rng, wanted)
        if seed % 25 == 0:
            wanted = np.zeros(shape, bool)
        if seed % 40 == 0:
            found = np.full(shape, seed % 80 == 0)
        j, f = reference_jf(found, wanted)
        largest = max(largest, abs(j - region_similarity(found, wanted)), abs(f - contour_accuracy(found, wanted)))
    print('largest difference', largest)
    assert largest < 1e-12


def identified(seed, **kwargs):
    """A video whose tracks carry the identities of its objects, one object perhaps without a track."""
    video = random_video(seed, **kwargs)
    ids = [t.instance_id for t in video.truth()]
    video.tracks = video.tracks[:len(ids)]
    for track, identity in zip(video.tracks, ids):
        track.instance_id = identity
    return video


def plain_object_scores(video, frames_of):
    """Per object mean J and F by trackeval's functions."""
    scores = []
    for truth in video.truth():
        track = next((t for t in video.tracks if t.instance_id == truth.instance_id), None)
        pairs = [reference_jf(decoded(track and track.segmentations[i]), decoded(truth.segmentations[i]))
                 for i in frames_of(truth)]
        if pairs:
            scores.append((truth, *np.mean(pairs, 0)))
    return scores


def test_davis_vos_equals_a_plain_computation():
    """280 videos; first and last frame left out, means over objects of all videos."""
    metric, scores, objects, largest, compared = DavisVOSMetric(), [], [], 0, 0
    for seed in range(280):
        video = identified(seed, num_frames=4)
        scores.append(metric.score_video(video))
        own = plain_object_scores(video, lambda truth: [1, 2])
        objects += own
        if own:
            compared += 1
            numbers = metric.summarise(scores[-1:])
            largest = max(largest, abs(numbers['J'] - np.mean([o[1] for o in own])),
                          abs(numbers['F'] - np.mean([o[2] for o in own])))
    numbers = metric.summarise(scores)
    j, f = np.mean([o[1] for o in objects]), np.mean([o[2] for o in objects])
    print('largest difference', largest, 'cases', compared)
    assert compared >= 200 and largest < 1e-12
    assert numbers == pytest.approx({'J': j, 'F': f, 'J&F': (j + f) / 2}, abs=1e-12)


def test_mose_equals_a_plain_computation():
    """280 videos of 5 frames by the rule of vos-benchmark: objects and tracks that come late or never."""
    metric, largest, compared, late, never = DavisVOSMetric(from_appearance=True), 0, 0, 0, 0
    for seed in range(280):
        video = identified(seed, num_frames=5)

        def shown(masks):
            return [i for i in (1, 2, 3) if masks[i] is not None and decoded(masks[i]).any()]

        def frames_of(truth):
            track = next((t for t in video.tracks if t.instance_id == truth.instance_id), None)
            wanted, found = shown(truth.segmentations), shown(track.segmentations) if track else []
            return [i for i in (1, 2, 3) if i >= min(wanted + found)] if wanted else []

        late += any(0 < len(frames_of(truth)) < 3 for truth in video.truth())
        never += any(not frames_of(truth) for truth in video.truth())
        own = plain_object_scores(video, frames_of)
        numbers = metric.summarise([metric.score_video(video)])
        assert bool(own) == (numbers['J'] is not None)
        if own:
            compared += 1
            largest = max(largest, abs(numbers['J'] - np.mean([o[1] for o in own])),
                          abs(numbers['F'] - np.mean([o[2] for o in own])))
    print('largest difference', largest, 'cases', compared, 'with late objects', late, 'with absent ones', never)
    assert compared >= 200 and late >= 40 and never >= 5 and largest < 1e-12


def test_youtube_vos_equals_a_plain_computation():
    """420 videos; frames after an object's first one, seen and unseen objects apart."""
    metric, largest, compared = YouTubeVOSMetric(), 0, 0
    for seed in range(420):
        video = identified(500 + seed, all_annotated=False)
        unseen = [t.instance_id for t in video.truth() if t.label == 2]
        video.info['unseen'] = unseen
        frames = [i for i, frame in enumerate(video.frames) if frame['annotated']]

        def later(truth):
            first = next(i for i, s in enumerate(truth.segmentations) if s is not None)
            return [i for i in frames if i > first]

        own = plain_object_scores(video, later)
        expected = {}
        for name, group in (('s', [o for o in own if o[0].instance_id not in unseen]),
                            ('u', [o for o in own if o[0].instance_id in unseen])):
            if group:
                expected[f'J{name}'] = np.mean([o[1] for o in group])
                expected[f'F{name}'] = np.mean([o[2] for o in group])
        if expected:
            expected['G'] = np.mean(list(expected.values()))
        numbers = metric.summarise([metric.score_video(video)])
        assert {name for name in numbers if numbers[name] is not None} == set(expected)
        largest = max(largest, *(abs(numbers[key] - expected[key]) for key in expected), 0)
        compared += bool(own)
    print('largest difference', largest, 'cases', compared)
    assert compared >= 200 and largest < 1e-12


def with_expressions(seed):
    """A video with three expressions, one of them for several objects, one perhaps without a track."""
    video = random_video(seed)
    rng, ids = np.random.default_rng(seed), [t.instance_id for t in video.truth()]
    video.text = ('the star', 'the ring', 'all')
    video.info['expressions'] = [
        dict(exp_id=str(i), object_ids=rng.permutation(ids)[:rng.integers(0, 3)].tolist()) for i in range(2)]
    video.info['expressions'].append(dict(exp_id='2', object_ids=ids))
    video.tracks = video.tracks[:3]
    for label, track in enumerate(video.tracks):
        track.label = label
    return video


def test_expression_jf_equals_a_plain_computation():
    """270 videos x 3 expressions; unions of objects, all frames, missing tracks 0."""
    metric, largest, everything, compared = ExpressionJFMetric(), 0, [], 0
    for seed in range(270):
        video = with_expressions(seed)
        truth = {t.instance_id: t for t in video.truth()}
        expected = []
        for label, expression in enumerate(video.info['expressions']):
            if label >= len(video.tracks):
                expected.append((0, 0))
                continue
            pairs = []
            for i in range(len(video.frames)):
                wanted = np.zeros(SHAPE, bool)
                for identity in expression['object_ids']:
                    wanted = np.logical_or(wanted, decoded(truth[identity].segmentations[i]))
                pairs.append(reference_jf(decoded(video.tracks[label].segmentations[i]), wanted))
            expected.append(np.mean(pairs, 0))
        scores = metric.score_video(video)
        largest = max(largest, np.abs(np.array(scores['expressions']) - np.array(expected)).max())
        everything.append(scores)
        compared += bool(truth and video.tracks)
    print('largest difference', largest, 'cases', compared)
    assert compared >= 200 and largest < 1e-12
    j, f = np.mean([pair for s in everything for pair in s['expressions']], 0)
    assert metric.summarise(everything) == pytest.approx({'J': j, 'F': f, 'J&F': (j + f) / 2})


def plain_revos(video, label, expression, truth):
    """J, F, A and R of an expression in percent, pixel by pixel."""
    if label >= len(video.tracks):
        return [0.] * 4
    frames = []
    for i, frame in enumerate(video.frames):
        wanted, everything = np.zeros((2, *SHAPE), bool)
        for identity, track in truth.items():
            shown = decoded(track.segmentations[i])
            everything = np.logical_or(everything, shown)
            if identity in expression['object_ids']:
                wanted = np.logical_or(wanted, shown)
        if frame['foreground'] is not None:
            everything = decoded(frame['foreground'])
        found = decoded(video.tracks[label].segmentations[i])
        right = wrong = size = 0
        for y, x in np.ndindex(SHAPE):
            right += found[y, x] == wanted[y, x]
            wrong += bool(found[y, x]) and not wanted[y, x]
            size += bool(everything[y, x])
        frames.append([*reference_jf(found, wanted), right / (SHAPE[0] * SHAPE[1]), max(1 - wrong / (size + 1e-6), 0)])
    return [round(100 * float(value), 2) for value in np.mean(frames, 0)]


def test_revos_equals_a_plain_computation():
    """60 videos of three types; values rounded, types averaged, type 2 left out; and ReasonVOS's videos left out."""
    metric, reason, scores, rows, kept = ReVOSMetric(), ReasonVOSMetric(), [], {0: [], 1: [], 2: []}, []
    for seed in range(60):
        video, rng = with_expressions(seed), np.random.default_rng(seed)
        truth = {t.instance_id: t for t in video.truth()}
        for frame in video.frames:
            frame['foreground'] = rle(rng.random(SHAPE) < 0.4) if rng.random() < 0.3 else None
        for label, expression in enumerate(video.info['expressions']):
            expression['type_id'] = int(rng.integers(3))
            rows[expression['type_id']].append(plain_revos(video, label, expression, truth))
            if video.tracks:
                kept.append(rows[expression['type_id']][-1][:2])
        scores.append((metric.score_video(video), reason.score_video(video)))
    found = metric.summarise([score for score, _ in scores])
    referring, reasoning = (np.mean(rows[kind], 0) / 100 for kind in (0, 1))
    for number, name in enumerate('JFAR'):
        assert found[f'referring_{name}'] == pytest.approx(referring[number], abs=1e-12)
        assert found[f'reasoning_{name}'] == pytest.approx(reasoning[number], abs=1e-12)
        assert found[name] == pytest.approx((referring[number] + reasoning[number]) / 2, abs=1e-12)
    assert found['J&F'] == pytest.approx((found['J'] + found['F']) / 2)
    left = reason.summarise([score for _, score in scores])
    assert len(kept) < 180 and [left['J'], left['F']] == pytest.approx(np.mean(kept, 0) / 100, abs=5e-5)


def painted(video, frame):
    """Per sentence its pixels when the first one is on top, as bool masks."""
    free, masks = np.ones(SHAPE, bool), []
    for track in sorted(video.tracks, key=lambda track: track.label):
        masks.append(decoded(track.segmentations[frame]) & free)
        free &= ~masks[-1]
    return masks


def test_ref_davis_equals_a_plain_computation():
    """280 videos in two runs: objects of the first frame, sentences painted over one another, assignment by trying all,
    void pixels removed, mean of the runs."""
    metric, largest, everything, runs, compared, unnamed = RefDavisMetric(), 0, [], {'0': [], '1': []}, 0, 0
    for seed in range(280):
        video, rng = with_expressions(seed), np.random.default_rng(seed)
        numbers = {t.instance_id: number for number, t in enumerate(video.truth(), 1)}
        video.info.update(annotator=seed % 2, object_numbers={str(key): value for key, value in numbers.items()})
        for frame in video.frames:
            frame['void'] = rle(rng.random(SHAPE) < 0.1) if rng.random() < 0.5 else None
        count = max((numbers[o['instance_id']] for o in video.frames[0]['instances']), default=0)
        truth = {numbers[t.instance_id]: t.segmentations for t in video.truth()}
        found = [painted(video, frame) for frame in range(len(video.frames))]
        used = [row + 1 for masks in found for row, mask in enumerate(masks) if mask.any()]
        matrix = np.zeros((max(count, *used, 0), count, 2))
        for row in range(len(matrix)):
            for column in range(count):
                pairs = []
                for masks, frame, wanted in zip(found, video.frames, truth[column + 1]):
                    mask, counts = masks[row] if row < len(masks) else np.zeros(SHAPE, bool), ~decoded(frame['void'])
                    pairs.append(reference_jf(mask & counts, decoded(wanted) & counts))
                matrix[row, column] = np.mean(pairs, 0)
        scores = metric.score_video(video)
        expected = [tuple(matrix[r, c]) for r, c in best_pairs(matrix.mean(-1))]
        assert len(expected) == len(scores['objects']) == count
        if expected:
            largest = max(largest, np.abs(np.array(sorted(expected)) - np.array(sorted(scores['objects']))).max())
        everything.append(scores)
        runs[str(seed % 2)] += expected
        compared += bool(expected)
        unnamed += count > len(video.tracks)
    print('largest difference', largest, 'cases', compared)
    assert compared >= 200 and unnamed >= 15 and largest < 1e-12
    j, f = np.mean([np.mean(run, 0) for run in runs.values()], 0)
    assert metric.summarise(everything) == pytest.approx({'J': j, 'F': f, 'J&F': (j + f) / 2})


def test_ref_davis_takes_20_sentences():
    """As DAVIS's program, which stops at the 21st that has a pixel."""
    video = random_video(0, num_frames=1)
    masks = [np.zeros(SHAPE, bool) for _ in range(21)]
    for number, mask in enumerate(masks):
        mask[number // 7, number % 7] = True
    video.frames[0]['instances'] = [dict(instance_id=1, bbox_label=0, mask=rle(masks[0]), bbox=None)]
    video.tracks = [Track(label + 1, label, 1.0, [rle(mask)], [None]) for label, mask in enumerate(masks)]
    metric = RefDavisMetric()
    with pytest.raises(ValueError, match='sentence 21'):
        metric.score_video(video)
    video.tracks[-1].segmentations = [None]
    assert metric.score_video(video)['objects'] == [(1.0, 1.0)]

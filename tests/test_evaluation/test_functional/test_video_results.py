"""The loop of video metrics: windows, resuming, result files and their checkers."""
import json

import numpy as np
import pytest
from logs import captured_log
from PIL import Image
from rle import rle
from tool_runner import run_tool
from video_cases import SHAPE, decoded, random_video
from video_feed import META, feed, windows

from projects.glee.evaluation.functional import VideoRecord
from projects.glee.evaluation.functional.result_checks import (
    ResultFileError,
    check_bdd,
    check_burst,
    check_expression_masks,
    check_object_maps,
    check_tao,
    check_vis,
)
from projects.glee.evaluation.metrics import (
    BDDTrackMetric,
    BURSTMetric,
    DavisVOSMetric,
    ExpressionJFMetric,
    RefDavisMetric,
    TETAMetric,
    VISMetric,
    YouTubeVOSMetric,
)
from projects.glee.structures import palette_picture


def some_videos(count=3, first=40):
    return [random_video(first + i, num_frames=4, video_id=i + 1) for i in range(count)]


@pytest.mark.parametrize('build', [VISMetric, TETAMetric, BURSTMetric, BDDTrackMetric])
def test_windows_do_not_change_the_numbers(build):
    """A frame at a time, two frames, or whole videos; the same as scoring the records."""
    videos, numbers = some_videos(), []
    for size in (1, 3, 9):
        metric = build()
        feed(metric, videos, size)
        numbers.append(metric.evaluate(len(videos)))
    direct = build()
    direct.dataset_meta = META
    expected = direct.summarise([direct.score_video(video) for video in videos])
    assert numbers[0] == numbers[1] == numbers[2]
    assert numbers[0] == {
        f'{build.default_prefix}/{key}': value for key, value in expected.items() if value is not None}


def test_missing_windows_are_an_error():
    """A video must arrive from its first frame on."""
    metric = VISMetric()
    metric.dataset_meta = META
    with pytest.raises(ValueError, match='out of order'):
        metric.process({}, [list(windows(some_videos()[0], 2))[1]])


def without_truth(video, annotated):
    """The video without objects, which are hidden if no frame is annotated."""
    frames = [dict(frame, instances=[], annotated=annotated) for frame in video.frames]
    return VideoRecord(video.info, video.text, frames, video.tracks)


METRICS_OF_VIDEOS = (VISMetric, TETAMetric, BURSTMetric, BDDTrackMetric, DavisVOSMetric, YouTubeVOSMetric,
                     ExpressionJFMetric, RefDavisMetric)


def expression_video(seed):
    """A video whose one sentence is about its first object."""
    video = random_video(seed, num_frames=3)
    video.info['expressions'] = [dict(exp_id='0', object_ids=[video.truth()[0].instance_id])]
    video.text, video.tracks = ('a', ), video.tracks[:1]
    video.tracks[0].label = 0
    return video


@pytest.mark.parametrize('build', METRICS_OF_VIDEOS)
def test_hidden_truth_is_not_scored(build, tmp_path):
    """Nothing is scored and that is said; beside a video with annotations only that one counts."""
    hidden = without_truth(expression_video(3), annotated=False)
    metric = build(outfile_prefix=str(tmp_path / 'out'))
    feed(metric, [hidden])
    with captured_log() as messages:
        assert metric.evaluate(1) == {}
    assert list(tmp_path.iterdir())  # the results are written
    assert any('1 of 1 videos have no annotations of this kind' in message and 'only written' in message
               for message in messages)
    other = expression_video(4)
    other.info['video_id'], alone, both = 2, build(), build()
    feed(alone, [other])
    feed(both, [hidden, other])
    assert both.evaluate(2) == alone.evaluate(1) != {}


@pytest.mark.parametrize('build', [VISMetric, TETAMetric, BURSTMetric, BDDTrackMetric, DavisVOSMetric,
                                   YouTubeVOSMetric, RefDavisMetric])
def test_a_number_over_nothing_is_left_out(build):
    """Where frames are annotated to show no object no number is printed; the message names them."""
    metric = build()
    feed(metric, [without_truth(expression_video(3), annotated=True)])
    with captured_log() as messages:
        assert metric.evaluate(1) == {}
    assert any(f'{build.__name__}: nothing was scored for' in message for message in messages)


def test_videos_without_tracks():
    """Nothing found is 0."""
    video = random_video(3, num_frames=3)
    blind = VideoRecord(video.info, video.text, video.frames, [])
    for build, key in ((VISMetric, 'vis/AP'), (TETAMetric, 'tao/TETA'), (BURSTMetric, 'burst/HOTA'),
                       (BDDTrackMetric, 'bdd/mMOTA')):
        metric = build()
        feed(metric, [blind])
        assert metric.evaluate(1)[key] == 0


def test_a_killed_evaluation_goes_on(tmp_path):
    """Finished videos come from disk, unfinished ones are done again; nothing is left at the end."""
    videos = some_videos()
    whole = VISMetric()
    feed(whole, videos)
    expected = whole.evaluate(3)
    killed = VISMetric(resume_dir=str(tmp_path / 'done'))
    feed(killed, videos[:2])
    killed.process({}, [next(windows(videos[2], 2))])  # killed inside the third video
    assert sorted(path.name for path in (tmp_path / 'done').iterdir()) == ['1.json', '2.json']
    resumed = VISMetric(resume_dir=str(tmp_path / 'done'))
    feed(resumed, videos[2:])
    assert resumed.evaluate(3) == expected
    assert not (tmp_path / 'done').exists()


def broken(path, change):
    """The same JSON with a change, in another file."""
    content = json.loads(path.read_text())
    change(content)
    other = path.with_name('broken.json')
    other.write_text(json.dumps(content))
    return other


def rows_of(videos):
    """Annotation files that belong to random videos."""
    categories = [dict(id=i, name=name) for i, name in zip(META['category_ids'], META['classes'])]
    return dict(categories=categories, videos=[
        dict(id=v.video_id, height=SHAPE[0], width=SHAPE[1], file_names=[f['img_path'] for f in v.frames])
        for v in videos],
        images=[dict(id=f['img_id'], video_id=v.video_id) for v in videos for f in v.frames])


def test_vis_file_and_its_checker(tmp_path):
    """JSON and zip hold every track; wrong rows are named."""
    videos = some_videos()
    metric = VISMetric(outfile_prefix=str(tmp_path / 'out'), format_only=True)
    feed(metric, videos)
    assert metric.evaluate(3) == {}
    (tmp_path / 'ann.json').write_text(json.dumps(rows_of(videos)))
    count = sum(len(v.tracks) for v in videos)
    for name in ('out.json', 'out.zip'):
        assert check_vis(tmp_path / name, tmp_path / 'ann.json') == count > 3
    row = json.loads((tmp_path / 'out.json').read_text())[0]
    assert row['category_id'] == META['category_ids'][videos[0].tracks[0].label]
    assert row['segmentations'] == videos[0].tracks[0].segmentations
    for change, message in ((lambda rows: rows[1]['segmentations'].pop(), 'row 1 has 3 masks for 4 frames'),
                            (lambda rows: rows[0].update(category_id=4), "invalid 'category_id'"),
                            (lambda rows: rows[2].update(score=1.5), "row 2 has an invalid 'score'"),
                            (lambda rows: rows[0].pop('video_id'), "no 'video_id'")):
        with pytest.raises(ResultFileError, match=message):
            check_vis(broken(tmp_path / 'out.json', change), tmp_path / 'ann.json')


def test_tao_file_and_its_checker(tmp_path):
    """Boxes xywh of annotated frames; track ids are unique over videos."""
    videos = some_videos()
    metric = TETAMetric(outfile_prefix=str(tmp_path / 'out'))
    feed(metric, videos)
    metric.evaluate(3)
    (tmp_path / 'ann.json').write_text(json.dumps(rows_of(videos)))
    boxes = [(v, t, i) for v in videos for t in v.tracks for i, box in enumerate(t.bboxes) if box is not None]
    assert check_tao(tmp_path / 'out.json', tmp_path / 'ann.json') == len(boxes)
    rows = json.loads((tmp_path / 'out.json').read_text())
    video, track, frame = boxes[0]
    x1, y1, x2, y2 = track.bboxes[frame]
    assert rows[0]['bbox'] == [x1, y1, x2 - x1, y2 - y1] and rows[0]['image_id'] == video.frames[frame]['img_id']
    assert len({(row['video_id'], row['track_id']) for row in rows}) == len({row['track_id'] for row in rows})
    for change, message in ((lambda r: r[0].update(bbox=[0, 0, -1, 1]), 'bbox'),
                            (lambda r: r.append(r[0]), 'twice in image'),
                            (lambda r: r[0].update(video_id=3 - r[0]['video_id']), 'not of video')):
        with pytest.raises(ResultFileError, match=message):
            check_tao(broken(tmp_path / 'out.json', change), tmp_path / 'ann.json')


def test_burst_file_and_its_checker(tmp_path):
    """Masks per annotated frame, absent ones left out."""
    videos = some_videos()
    metric = BURSTMetric(outfile_prefix=str(tmp_path / 'out'))
    feed(metric, videos)
    metric.evaluate(3)
    truth = dict(categories=rows_of(videos)['categories'], sequences=[
        dict(dataset='video', seq_name=str(v.video_id), height=SHAPE[0], width=SHAPE[1],
             annotated_image_paths=[f['img_path'].rsplit('/')[-1] for f in v.frames]) for v in videos])
    (tmp_path / 'ann.json').write_text(json.dumps(truth))
    masks = sum(s is not None for v in videos for t in v.tracks for s in t.segmentations)
    assert check_burst(tmp_path / 'out.json', tmp_path / 'ann.json') == masks
    for change, message in ((lambda c: c['sequences'][0].update(seq_name='other'), 'not annotated'),
                            (lambda c: c['sequences'][0]['segmentations'].pop(), 'has 3 segmentations'),
                            (lambda c: c['sequences'][0].update(track_category_ids={}), 'no known category')):
        with pytest.raises(ResultFileError, match=message):
            check_burst(broken(tmp_path / 'out.json', change), tmp_path / 'ann.json')


def write_frames(folder, video):
    for frame in video.frames:
        path = folder / video.name / frame['img_path'].rsplit('/')[-1]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', SHAPE[::-1]).save(path)


def test_object_maps_and_their_checker(tmp_path):
    """Palette PNG with the objects' numbers; wrong pictures are named."""
    video = random_video(43, num_frames=3)
    video.info['object_numbers'] = {str(t.instance_id): 5 + n for n, t in enumerate(video.tracks)}
    metric = DavisVOSMetric(outfile_prefix=str(tmp_path / 'out'))
    feed(metric, [video])
    metric.evaluate(1)
    write_frames(tmp_path / 'frames', video)
    assert check_object_maps(tmp_path / 'out', tmp_path / 'frames', [video.name]) == 3
    folder = tmp_path / 'out' / video.name
    index_map = np.asarray(Image.open(folder / '00000.png'))
    expected = np.zeros(SHAPE, np.uint8)
    for number, track in enumerate(video.tracks):
        expected[decoded(track.segmentations[0])] = 5 + number
    assert np.array_equal(index_map, expected)
    assert Image.open(folder / '00000.png').getpalette()[:6] == [0, 0, 0, 128, 0, 0]
    Image.new('L', SHAPE[::-1]).save(folder / '00001.png')
    with pytest.raises(ResultFileError, match='00001.png is L'):
        check_object_maps(tmp_path / 'out', tmp_path / 'frames', [video.name])
    (folder / '00001.png').unlink()
    with pytest.raises(ResultFileError, match='frames differ'):
        check_object_maps(tmp_path / 'out', tmp_path / 'frames', [video.name])
    (tmp_path / 'frames' / 'empty').mkdir()
    with pytest.raises(ResultFileError, match='no pictures'):
        check_object_maps(tmp_path / 'out', tmp_path / 'frames', ['empty'])


def test_a_folder_of_frames_holds_other_videos_too(tmp_path, capsys):
    """As DAVIS's, where train and val share one: the list of videos says which are wanted."""
    tested, other = random_video(43, num_frames=2), random_video(45, num_frames=2)
    tested.info['name'], other.info['name'] = 'tested', 'other'
    metric = DavisVOSMetric(outfile_prefix=str(tmp_path / 'out'))
    tested.info['object_numbers'] = {str(t.instance_id): 1 + n for n, t in enumerate(tested.tracks)}
    feed(metric, [tested])
    metric.evaluate(1)
    for video in (tested, other):
        write_frames(tmp_path / 'frames', video)
    (tmp_path / 'val.txt').write_text(f'{tested.name}\n')
    arguments = 'analysis_tools/check_results.py', 'vos', tmp_path / 'out', '--frames', tmp_path / 'frames'
    with pytest.raises(SystemExit) as ended:
        run_tool(*arguments)
    assert ended.value.code == 1 and str(tmp_path / 'out' / other.name) in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        run_tool(*arguments, '--videos', tmp_path / 'val.txt')
    assert ended.value.code == 0 and '2 entries, all valid' in capsys.readouterr().out
    (tmp_path / 'val.txt').write_text('')
    with pytest.raises(SystemExit) as ended:
        run_tool(*arguments, '--videos', tmp_path / 'val.txt')
    assert ended.value.code == 1 and 'no video' in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        run_tool('analysis_tools/check_results.py', 'vis', 'results.json', '--truth', 'x.json', '--videos', 'val.txt')
    assert ended.value.code == 2 and 'vis takes no --videos' in capsys.readouterr().err


def test_expression_masks_and_their_checker(tmp_path):
    """One folder per sentence, 0 and 255."""
    video = next(v for v in (random_video(s, num_frames=3) for s in range(60)) if len(v.tracks) >= 2)
    video.tracks = video.tracks[:2]
    for label, track in enumerate(video.tracks):
        track.label = label
    video.text = ('a', 'b')
    video.info['expressions'] = [dict(exp_id=name, object_ids=[]) for name in ('0', '4')]
    metric = ExpressionJFMetric(outfile_prefix=str(tmp_path / 'out'))
    feed(metric, [video])
    metric.evaluate(1)
    write_frames(tmp_path / 'frames', video)
    meta = tmp_path / 'meta.json'
    meta.write_text(json.dumps(dict(videos={video.name: dict(expressions={'0': {}, '4': {}})})))
    assert check_expression_masks(tmp_path / 'out', tmp_path / 'frames', meta) == 6
    picture = np.asarray(Image.open(tmp_path / 'out' / video.name / '4' / '00001.png'))
    assert np.array_equal(picture, decoded(video.tracks[1].segmentations[1]) * 255)
    Image.new('L', SHAPE[::-1], 7).save(tmp_path / 'out' / video.name / '4' / '00001.png')
    with pytest.raises(ResultFileError, match=r'invalid values \[7\]'):
        check_expression_masks(tmp_path / 'out', tmp_path / 'frames', meta)


def test_ref_davis_files_and_their_checker(tmp_path, capsys):
    """Each annotator has folders of its own: masks of single sentences, and maps in which each pixel has one."""
    videos = [next(v for v in (random_video(s, num_frames=3) for s in range(first, 200)) if len(v.tracks) > 1)
              for first in (0, 30, 60, 90)]
    metric, shared = RefDavisMetric(outfile_prefix=str(tmp_path / 'out')), rle(np.ones(SHAPE, bool))
    for annotator, video in enumerate(videos):
        video.info.update(video_id=annotator + 1, name='bear', annotator=annotator, object_numbers={}, expressions=[
            dict(exp_id=str(4 * k + annotator), object_ids=[]) for k in range(2)])
        for frame in video.frames:
            frame.update(img_path=f'bear/{frame["frame_id"]:05d}.jpg', annotated=False)
        video.text, video.tracks = ('a', 'b'), video.tracks[:2]
        for label, track in enumerate(video.tracks):
            track.label = label
        video.tracks[0].segmentations[0] = shared
    videos[1].tracks[0].owned = [None] * 3  # the tracker says that the second sentence owns all that it claims
    videos[1].tracks[1].owned = videos[1].tracks[1].segmentations
    feed(metric, videos)
    assert metric.evaluate(4) == {}
    write_frames(tmp_path / 'frames', videos[0])

    def pictures(folder):
        return np.stack([np.asarray(Image.open(tmp_path / f'out/{folder}/{frame:05d}.png')) for frame in range(3)])

    for annotator, video in enumerate(videos):
        masks = [np.stack([decoded(s) for s in track.segmentations]) for track in video.tracks]
        for number, mask in enumerate(masks):
            assert np.array_equal(pictures(f'annotator_{annotator}/bear/{4 * number + annotator}'), mask * 255)
        first, second = masks if annotator != 1 else (0 * masks[0], masks[1])
        assert np.array_equal(pictures(f'anno_{annotator}/bear'), np.where(first, 1, 2 * second))
    meta = tmp_path / 'meta.json'
    meta.write_text(json.dumps(dict(videos=dict(bear=dict(expressions={str(key): {} for key in range(8)})))))
    arguments = ('analysis_tools/check_results.py', 'ref_davis', tmp_path / 'out', '--truth', meta, '--frames',
                 tmp_path / 'frames')
    for change, code, message in (
            (lambda: None, 0, '36 entries, all valid'),
            (lambda: palette_picture(np.full(SHAPE, 3, np.uint8)).save(tmp_path / 'out/anno_2/bear/00001.png'), 1,
             'anno_2/bear/00001.png has the invalid values [3]'),
            (lambda: (tmp_path / 'out/anno_2/bear/00001.png').unlink(), 1, 'the frames differ')):
        change()
        with pytest.raises(SystemExit) as ended:
            run_tool(*arguments)
        assert ended.value.code == code
        assert message in ''.join(capsys.readouterr())


def test_bdd_file_and_its_checker(tmp_path):
    """Box and mask labels of every annotated frame; wrong frames and labels are named."""
    videos = some_videos(1)
    truth = rows_of(videos)
    truth['videos'][0]['name'] = videos[0].name
    (tmp_path / 'ann.json').write_text(json.dumps(truth))
    for kind, key in (('bbox', 'box2d'), ('segm', 'rle')):
        metric = BDDTrackMetric(iou_type=kind, outfile_prefix=str(tmp_path / kind))
        feed(metric, videos)
        metric.evaluate(1)
        frames = json.loads((tmp_path / f'{kind}.json').read_text())
        assert [frame['frameIndex'] for frame in frames] == [0, 1, 2, 3]
        labels = [label for frame in frames for label in frame['labels']]
        count = sum(s is not None for t in videos[0].tracks for s in t.segmentations)
        assert len(labels) == count == check_bdd(tmp_path / f'{kind}.json', tmp_path / 'ann.json')
        assert all(key in label and label['category'] in META['classes'] for label in labels)
    labelled = next(i for i, frame in enumerate(frames) if frame['labels'])
    for kind, change, message in (
            ('bbox', lambda f: f.pop(), 'lacks 1 frames'), ('bbox', lambda f: f.append(f[0]), 'there twice'),
            ('bbox', lambda f: f[labelled]['labels'].append(f[labelled]['labels'][0]), 'a track twice'),
            ('bbox', lambda f: f[labelled]['labels'][0].update(category='x'), "invalid 'category'"),
            ('bbox', lambda f: f[labelled]['labels'][0]['box2d'].update(x2=-9), "invalid 'box2d'"),
            ('segm', lambda f: f[labelled]['labels'][0]['rle'].update(size=[1, 1]), 'a mask of size')):
        with pytest.raises(ResultFileError, match=message):
            check_bdd(broken(tmp_path / f'{kind}.json', change), tmp_path / 'ann.json')

"""Whole tests of videos that are not as they should be, and of evaluations that were killed."""
import json

import numpy as np
import pytest
from config_runs import load_video
from image_files import edit_json, save_image
from logs import captured_log
from PIL import Image
from worlds import own_copy

from projects.glee.engine.runner import run_config
from projects.glee.evaluation.functional.result_checks import (
    check_burst,
    check_expression_masks,
    check_object_maps,
    check_vis,
)
from projects.glee.structures.palette import PALETTE

SHAPE = (96, 160)
SMALL = {'PillowResize.scale': (10000, 96)}


def index_map(numbers):
    """Objects as squares of 8 px, ten in a row; object k stands in place k."""
    picture = np.zeros(SHAPE, np.uint8)
    for number in numbers:
        row, column = divmod(number - 1, 10)
        picture[12 * row + 2:12 * row + 10, 16 * column + 4:16 * column + 12] = number
    return picture


def write_davis(root, videos):
    """A DAVIS tree of videos, each a list of index maps."""
    for name, maps in videos.items():
        for frame, numbers in enumerate(maps):
            save_image(root / f'DAVIS/JPEGImages/480p/{name}/{frame:05d}.jpg', *SHAPE[::-1], seed=frame)
            path = root / f'DAVIS/Annotations/480p/{name}/{frame:05d}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(numbers, mode='P')
            picture.putpalette(PALETTE)
            picture.save(path)
    (root / 'DAVIS/ImageSets/2017').mkdir(parents=True)
    (root / 'DAVIS/ImageSets/2017/val.txt').write_text('\n'.join(videos))


@pytest.mark.slow
def test_given_objects_in_difficult_videos(tmp_path):
    """60 objects, a later one, a corrupt frame, a frame of another size, a video without objects: one test run."""
    crowd = range(1, 61)
    first, later = index_map(crowd), index_map(range(1, 62))
    write_davis(tmp_path, dict(crowd=[first, first, later, later], empty=[index_map([])] * 3))
    pictures, maps = tmp_path / 'DAVIS/JPEGImages/480p', tmp_path / 'out/crowd'
    (pictures / 'crowd/00001.jpg').write_bytes(b'no picture')
    save_image(pictures / 'crowd/00003.jpg', 2 * SHAPE[1], 2 * SHAPE[0])
    cfg = load_video('mini_vos', tmp_path, tmp_path, window=2, outfile_prefix=f'{tmp_path}/out', **SMALL)
    with captured_log() as messages:
        numbers = run_config.build_runner(cfg).test()
    assert all(np.isfinite(value) for value in numbers.values())
    assert any('00001.jpg' in message and 'black frame' in message for message in messages)
    assert any('00003.jpg is (192, 320)' in message for message in messages)
    results = [np.asarray(Image.open(maps / f'{frame:05d}.png')) for frame in range(4)]
    assert all(result.shape == SHAPE for result in results)
    assert np.array_equal(results[0], first)  # given
    assert 61 not in results[1] and np.array_equal(results[2] == 61, later == 61)  # given only now
    assert check_object_maps(tmp_path / 'out', pictures, ['empty']) == 3
    assert not any(np.asarray(Image.open(path)).any() for path in (tmp_path / 'out/empty').iterdir())


def test_names_in_difficult_videos(world, tmp_path):
    """A corrupt frame, a frame of another size, a video without annotated objects; the file stays valid."""
    world = own_copy(world, tmp_path / 'world', 'ytvis_2019')
    truth = world / 'ytvis_2019/annotations/instances_val_sub.json'
    videos = json.loads(truth.read_text())['videos']
    broken, larger = (world / 'ytvis_2019/val/JPEGImages' / videos[0]['file_names'][i] for i in (1, 2))
    broken.write_bytes(broken.read_bytes()[:100])
    save_image(larger, 2 * videos[0]['width'], 2 * videos[0]['height'])
    edit_json(truth, lambda data: data.update(
        annotations=[a for a in data['annotations'] if a['video_id'] != videos[1]['id']]))
    cfg = load_video('mini_ytvis', world, tmp_path, window=6, outfile_prefix=f'{tmp_path}/out', **SMALL)
    with captured_log() as messages:
        numbers = run_config.build_runner(cfg).test()
    assert check_vis(tmp_path / 'out.zip', truth) > 0
    assert 0 <= numbers['ytvis/AP'] <= 1
    assert any(broken.name in message and 'black frame' in message for message in messages)
    assert any(larger.name in message and 'resized to the' in message for message in messages)


def empty_sentences(data):
    """No sentence of the second video of Ref-YouTube-VOS has an object; path of a frame of the first one."""
    first = data['videos'][0]['video']
    kept = {entry['id'] for entry in data['videos'] if entry['video'] == first}
    data['annotations'] = [track for track in data['annotations'] if track['video_id'] in kept]
    return f'ref-youtube-vos/valid/JPEGImages/{data["videos"][0]["file_names"][2]}'


def empty_sequence(data):
    """The second sequence of BURST has no object; path of a frame of the first one."""
    first, second = data['sequences']
    second.update(track_category_ids={}, segmentations=[{} for _ in second['annotated_image_paths']])
    return f'TAO/frames/val/{first["dataset"]}/{first["seq_name"]}/{first["annotated_image_paths"][2]}'


# config: folder, annotation file in it, what empties a video, number, checker and its arguments after the results
BURST, REF_YTVOS = 'burst_annotations/val/all_classes.json', 'ref-youtube-vos/valid.json'
HARD = dict(
    rvos=('ref-youtube-vos', REF_YTVOS, empty_sentences, 'rvos/J&F', check_expression_masks, '',
          ('ref-youtube-vos/valid/JPEGImages', 'ref-youtube-vos/meta_expressions/valid/meta_expressions.json')),
    burst=('burst_annotations', BURST, empty_sequence, 'burst/HOTA', check_burst, '.json', (BURST, )))


@pytest.mark.slow
@pytest.mark.parametrize('name', HARD)
def test_sentences_and_tracks_in_difficult_videos(name, world, tmp_path):
    """A corrupt frame in one video, no annotated object in the other: numbers, counts and a valid file."""
    folder, truth, empty, number, check, suffix, places = HARD[name]
    world = own_copy(world, tmp_path / 'world', folder, 'TAO')
    content = json.loads((world / truth).read_text())
    frame = world / empty(content)
    (world / truth).write_text(json.dumps(content))
    picture = frame.read_bytes()
    frame.write_bytes(picture[:100])
    cfg = load_video(f'mini_{name}', world, tmp_path, window=6, outfile_prefix=f'{tmp_path}/out',
                     **{'PillowResize.scale': (10000, 64)})
    with captured_log() as messages:
        numbers = run_config.build_runner(cfg).test()
    assert 0 <= numbers[number] <= 1 and all(np.isfinite(value) for value in numbers.values())
    assert sum('black frame' in message and str(frame) in message for message in messages) == 1
    assert any(str(frame) in message and '(1 skipped so far)' in message for message in messages)
    frame.write_bytes(picture)  # the checker compares sizes
    assert check(f'{tmp_path}/out{suffix}', *(world / place for place in places)) > 0


def test_a_killed_test_goes_on_without_redoing_finished_videos(world, tmp_path):
    """Killed in the second video of two: the first is not tracked again, numbers and file are those of one run."""
    def runner(name, **options):
        cfg = load_video('mini_ytvis', world, tmp_path / name, window=6, **SMALL, **options)
        built = run_config.build_runner(cfg)
        predict, seen = built.model.predict, []

        def watched(inputs, samples, *args, **kwargs):
            seen.append((samples[0][0].video_id, samples[0][0].frame_id))
            if len(seen) == built.die_at:
                raise MemoryError('killed')
            return predict(inputs, samples, *args, **kwargs)

        built.model.predict, built.die_at = watched, None
        return built, seen

    whole, all_windows = runner('whole')
    expected = whole.test()
    weights = whole.model.state_dict()
    first, second = sorted({video for video, _ in all_windows})[:2]
    kept = {'resume_dir': f'{tmp_path}/finished'}
    killed, _ = runner('killed', **kept)
    killed.model.load_state_dict(weights)
    killed.die_at = all_windows.index((second, 0)) + 2  # its second window
    with pytest.raises(MemoryError):
        killed.test()
    assert [path.name for path in (tmp_path / 'finished').iterdir()] == [f'{first}.json']
    resumed, windows = runner('resumed', **kept)
    resumed.model.load_state_dict(weights)
    assert resumed.test() == expected
    assert windows == [window for window in all_windows if window[0] != first]
    assert not (tmp_path / 'finished').exists()
    files = [json.loads((tmp_path / name / 'results.json').read_text()) for name in ('whole', 'resumed')]
    assert files[0] == files[1]

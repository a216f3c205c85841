"""Test sets whose owners publish no masks, or first masks alone: no frame is annotated, and nothing is scored."""
import pytest
from image_files import save_image, write_json
from logs import captured_log
from rle import rle
from video_feed import feed, read_videos
from video_files import H, W, mevis, square, ytvis, ytvis_content

from projects.glee.datasets.video import (
    BURSTDataset,
    ExpressionVideosDataset,
    MetaExpressionsDataset,
    PNGTreeDataset,
)
from projects.glee.evaluation.metrics import DavisVOSMetric, ExpressionJFMetric, VISMetric, YouTubeVOSMetric
from projects.glee.structures import Track, palette_picture


def annotated(dataset):
    """Per video, which frames are."""
    return [[frame['annotated'] for frame in video.frames] for video in read_videos(dataset)]


def vos_tree(folder, maps):
    """A video of as many frames; ``maps``: palette indices of frames with a PNG."""
    for name, frames in maps.items():
        for number, index_map in enumerate(frames):
            save_image(folder / f'img/{name}/{number:05d}.jpg', W, H)
            if index_map is not None:
                (folder / f'ann/{name}').mkdir(parents=True, exist_ok=True)
                palette_picture(index_map).save(folder / f'ann/{name}/{number:05d}.png')
    return PNGTreeDataset(data_root=str(folder), data_prefix=dict(img='img/', ann='ann/'), pipeline=[], test_mode=True)


FIRST, SECOND = square(2, 2), 2 * square(20, 10)


@pytest.mark.parametrize('build', [DavisVOSMetric, YouTubeVOSMetric])
@pytest.mark.parametrize('frames', [[FIRST, None, None], [FIRST, None, SECOND, None]])
def test_first_masks_of_the_valid_sets_of_mose_and_youtube_vos(tmp_path, frames, build):
    """A PNG for the first frame, and in YouTube-VOS where a new object appears, showing that one alone."""
    dataset = vos_tree(tmp_path, dict(a=frames))
    assert annotated(dataset) == [[False] * len(frames)]
    [video] = read_videos(dataset)
    assert video.truth()  # the prompts are there
    metric = build(outfile_prefix=str(tmp_path / 'out'))
    video.tracks = [Track(1, 0, 1.0, [rle(FIRST)] * len(frames), [None] * len(frames))]
    feed(metric, [video])
    with captured_log() as messages:
        assert metric.evaluate(1) == {}
    assert any('results are only written' in message for message in messages)
    assert len(list((tmp_path / 'out/a').iterdir())) == len(frames)


@pytest.mark.parametrize('frames, expected', [
    ([FIRST, FIRST + SECOND, FIRST], [True, True, True]),
    ([FIRST, None, FIRST + SECOND, None], [True, False, True, False]),  # every second frame is annotated
    ([FIRST, None, 0 * FIRST, None], [True, False, True, False])])  # the object is annotated to be gone
def test_sparse_annotations_are_truth(tmp_path, frames, expected):
    assert annotated(vos_tree(tmp_path, dict(a=frames))) == [expected]


def test_youtube_vis_valid_without_annotations(tmp_path):
    for hidden in (dict(ytvis_content(), annotations=None),
                   {key: value for key, value in ytvis_content().items() if key != 'annotations'}):
        dataset = ytvis(tmp_path, hidden)
        assert annotated(dataset) == [[False] * 3] * 2
    metric, videos = VISMetric(), read_videos(dataset)
    feed(metric, videos, meta=dataset.metainfo)
    with captured_log() as messages:
        assert metric.evaluate(2) == {}
    assert any('give outfile_prefix to write the results' in message for message in messages)
    assert annotated(ytvis(tmp_path, ytvis_content())) == [[True] * 3] * 2


def test_sentences_without_masks(tmp_path):
    """Ref-YouTube-VOS and MeViS valid: an empty prediction used to score 1."""
    entry = dict(id=1, video='clip', height=H, width=W, file_names=['clip/0.jpg', 'clip/1.jpg'], expressions=['a'],
                 exp_id='0')
    write_json(tmp_path / 'valid.json', dict(videos=[entry], categories=[dict(id=1, name='object')]))
    options = dict(data_root=str(tmp_path), data_prefix=dict(img='frames/'), pipeline=[], test_mode=True)
    dataset = ExpressionVideosDataset(ann_file='valid.json', **options)
    assert annotated(dataset) == [[False, False]]
    metric = ExpressionJFMetric()
    [video] = read_videos(dataset)
    video.tracks = [Track(1, 0, 1.0, [None, None], [None, None])]
    feed(metric, [video])
    assert metric.evaluate(1) == {}
    masks = {'0': [rle(square(0, 0)), None], '1': [None, rle(square(5, 6))]}
    assert annotated(mevis(tmp_path, masks)) == [[True, True]]
    save_image(tmp_path / 'frames/clip/00000.jpg', W, H)
    assert annotated(MetaExpressionsDataset(ann_file='meta.json', **options)) == [[False, False]]
    write_json(tmp_path / 'meta.json', dict(videos=dict(clip=dict(
        frames=['00000', '00001'], expressions={'0': dict(exp='both', obj_id=[0])}))))
    assert annotated(MetaExpressionsDataset(ann_file='meta.json', mask_file='masks.json', **options)) == [[False] * 2]


def test_burst_test_has_no_segmentations(tmp_path):
    sequence = dict(id=1, dataset='D', seq_name='s', height=H, width=W, annotated_image_paths=['f1.jpg', 'f4.jpg'])
    write_json(tmp_path / 'b.json', dict(sequences=[sequence], categories=[dict(id=9, name='star')]))
    dataset = BURSTDataset(data_root=str(tmp_path), ann_file='b.json', data_prefix=dict(img=''), pipeline=[],
                           test_mode=True)
    assert annotated(dataset) == [[False, False]]

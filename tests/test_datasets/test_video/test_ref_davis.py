"""Ref-DAVIS17: its meta file, the files of single annotators, and DAVIS's own maps."""
import numpy as np
import pytest
from image_files import save_image, write_json
from video_cases import decoded
from video_feed import read_videos
from video_files import H, W, square

from projects.glee.datasets.video import ExpressionVideosDataset, RefDavisDataset
from projects.glee.structures import palette_picture

IMAGES, MAPS = 'DAVIS/JPEGImages/480p', 'DAVIS/Annotations_unsupervised/480p'


def write_davis(root):
    """Two videos of two frames and two objects, one of which comes late; 255 is void."""
    index_map = square(0, 0) + 2 * square(16, 8)
    index_map[20:, :4] = 255
    for name in ('bear', 'dog'):
        for frame, numbers in enumerate([index_map, index_map + 3 * square(8, 0)]):
            save_image(root / IMAGES / name / f'{frame:05d}.jpg', W, H)
            path = root / MAPS / name / f'{frame:05d}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            palette_picture(numbers).save(path)


def sentences(name, annotator):
    return [f'{annotator} says {name} {position}' for position in range(2)]


def meta(root, **change):
    videos = {}
    for name in ('bear', 'dog'):
        videos[name] = dict(frames=['00000', '00001'], expressions={
            str(4 * position + annotator): dict(exp=sentences(name, annotator)[position], obj_id=str(position + 1))
            for position in range(2) for annotator in range(4)})
    videos['bear']['expressions'].update(change)
    write_json(root / 'meta.json', dict(videos=videos))
    return dict(ann_file='meta.json')


def files_of_annotators(root, wrap=lambda said: [said]):
    for annotator in range(4):
        write_json(root / f'valid_{annotator}.json', dict(categories=[dict(id=1, name='object')], videos=[
            dict(id=number, video=name, height=H, width=W, length=2, expressions=wrap(sentences(name, annotator)),
                 file_names=[f'{name}/00000.jpg', f'{name}/00001.jpg'])
            for number, name in enumerate(('bear', 'dog'), 1)]))
    return dict(ann_files=[f'valid_{annotator}.json' for annotator in range(4)])


def dataset(root, **options):
    return RefDavisDataset(data_root=f'{root}/', data_prefix=dict(img=f'{IMAGES}/'), pipeline=[], test_mode=True,
                           **options)


@pytest.mark.parametrize('write', [meta, files_of_annotators])
def test_a_video_per_annotator_with_the_objects_of_the_maps(tmp_path, write):
    """Objects with and without a sentence, void pixels, and the ids 4k + a of the sentences."""
    write_davis(tmp_path)
    videos = read_videos(dataset(tmp_path, **write(tmp_path)))
    assert [(video.info['annotator'], video.name) for video in videos] == [
        (annotator, name) for annotator in range(4) for name in ('bear', 'dog')]
    assert len({video.video_id for video in videos}) == 8
    for video in videos:
        annotator = video.info['annotator']
        assert video.text == tuple(sentences(video.name, annotator)) and video.annotated == [0, 1]
        ids = [expression['exp_id'] for expression in video.info['expressions']]
        assert ids == [str(annotator), str(4 + annotator)]
        truth = video.truth()
        assert [video.number_of(track.instance_id) for track in truth] == [1, 2, 3]
        assert [expression['object_ids'] for expression in video.info['expressions']] == [
            [track.instance_id] for track in truth[:2]]
        shape = (H, W)
        assert np.array_equal(decoded(truth[1].segmentations[1], shape), square(16, 8) > 0)
        assert truth[2].segmentations[0] is None
        assert decoded(video.frames[0]['void'], shape).sum() == 16


def test_files_that_are_not_ref_davis(tmp_path):
    """A sentence too few, a sentence per entry, and pictures that lie elsewhere are named."""
    write_davis(tmp_path)
    for change, message in (({'8': dict(exp='one more')}, 'video bear has 9 expressions'),
                            ({'6': dict(exp=' ')}, r"of which \['6'\] have no sentence")):
        with pytest.raises(ValueError, match=message):
            dataset(tmp_path, **meta(tmp_path, **change))
    with pytest.raises(ValueError, match=r'valid_0.json: row 0 of `videos`, id 1 needs expressions=\[\[sentence'):
        dataset(tmp_path, **files_of_annotators(tmp_path, wrap=lambda said: said[:1]))
    with pytest.raises(ValueError, match=r"needs data_prefix\['ann'\]"):
        RefDavisDataset(data_prefix=dict(img='frames/'), **meta(tmp_path))
    with pytest.raises(ValueError, match='RefDavisDataset reads entries with several.: 8 .first: .*valid_0.json'):
        ExpressionVideosDataset(data_root=f'{tmp_path}/', pipeline=[], test_mode=True, data_prefix=dict(img=''),
                                **files_of_annotators(tmp_path))

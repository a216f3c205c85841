"""Each set of videos with sentences as a language model reads it: dialogues of training, whole videos, scores."""
import shutil

import numpy as np
import pytest
from image_files import save_image
from mmdet.registry import DATASETS, METRICS
from paths import FORMATS
from PIL import Image
from toy_video_llm import talkative, toy_video

import projects.glee.llm  # noqa: F401
from projects.glee.llm.data import collate_dialogues
from projects.glee.structures.masks import decode
from projects.glee.structures.track import Track, encode_mask

META = dict(data_prefix=dict(img='JPEGImages/'), ann_file='meta_expressions.json', mask_file='mask_dict.json')
IN_WORLD = {  # reader, folder of the MiniWorld, metric
    'Ref-YouTube-VOS': (dict(type='ExpressionVideosDataset', ann_file='valid.json',
                             data_prefix=dict(img='valid/JPEGImages/')), 'ref-youtube-vos', 'ExpressionJFMetric'),
    'Ref-DAVIS': (dict(type='RefDavisDataset', ann_file='meta_expressions/valid/meta_expressions.json',
                       data_prefix=dict(img='DAVIS/JPEGImages/480p/', ann='DAVIS/Annotations_unsupervised/480p/')),
                  'ref-davis', 'RefDavisMetric'),
    'MeViS': (dict(META, type='MetaExpressionsDataset'), 'mevis/valid_u', 'ExpressionJFMetric')}
BY_HAND = {  # two frames of 4 x 6 px, whose files are among those of the readers' tests
    'ReVOS': (dict(META, type='ReVOSDataset', ann_file='meta_expressions_valid_.json',
                   foreground_file='mask_dict_foreground.json'), 'revos', 'ReVOSMetric'),
    'ReasonVOS': (dict(type='ReasonVOSDataset', ann_file='meta_expressions.json',
                       data_prefix=dict(img='JPEGImages/', ann='Annotations/')), 'reason_vos', 'ReasonVOSMetric')}


@pytest.fixture(params=[*IN_WORLD, *BY_HAND])
def video_set(request, world, tmp_path):
    """Settings of a reader, and the metric of its set."""
    if request.param in IN_WORLD:
        reader, folder, metric = IN_WORLD[request.param]
        return dict(reader, data_root=f'{world}/{folder}/'), metric
    reader, folder, metric = BY_HAND[request.param]
    shutil.copytree(FORMATS / folder, tmp_path, dirs_exist_ok=True)
    for video, frames in (('TAO/street_7', ('frame0001', 'frame0031')), ('0a1b', ('00000', '00001'))):
        for name in frames:
            save_image(tmp_path / f'JPEGImages/{video}/{name}.jpg', 6, 4)
            for number in (1, 2):
                path = tmp_path / f'Annotations/mose_0a1b_{number}/{name}.png'
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.full((4, 6), 255 * (number == 1), np.uint8)).save(path)
    return dict(reader, data_root=f'{tmp_path}/'), metric


def truth_of(frames, objects):
    """Masks of some objects in frames, from their annotations alone."""
    masks = []
    for frame in frames:
        mask = np.zeros(frame.ori_shape, bool)
        for one in frame.instances:
            if one['instance_id'] in objects and one['mask'] is not None:
                mask |= decode(one['mask']).astype(bool)
        masks.append(mask)
    return masks


def test_sentences_are_dialogues(video_set):
    settings, _ = video_set
    ask = dict(type='AskVideo', expressions=99, context=2, window=2, random_wording=False)
    dataset = DATASETS.build(dict(settings, test_mode=False, pipeline=[ask]))
    whole = DATASETS.build(dict(settings, test_mode=True, pipeline=[dict(type='ShowVideo')]))
    items, frames = dataset[0], whole[0]['data_samples'].video_data_samples
    said = {text: row['object_ids'] for text, row in zip(frames[0].text, frames[0].video_info['expressions'])}
    assert len(items) == len(frames[0].text)
    for item in items:
        sample = item['data_samples']
        text = next(text for text in said
                    if sample.turns[0].asked[-1] == f'Can you segment the {text.removeprefix("the ")} in this frame?')
        start = sample.said[0].frame
        for mask, truth in zip(sample.gt_masks, truth_of(frames[start:start + 2], said[text]), strict=True):
            assert np.array_equal(mask, truth)


def test_whole_videos_are_answered_and_the_truth_scores_one(video_set):
    settings, name = video_set
    dataset = DATASETS.build(dict(settings, test_mode=True, pipeline=[dict(type='ShowVideo')]))
    batch, model = collate_dialogues([dataset[0]]), talkative(toy_video())
    found = model(batch['inputs'], batch['data_samples'], 'predict')[0]
    frames = found.video_data_samples
    assert all(len(track.segmentations) == len(frames) for track in found.pred_tracks)
    found.pred_tracks = [
        Track(label + 1, label, 1., [encode_mask(mask) for mask in truth_of(frames, row['object_ids'])],
              [None] * len(frames)) for label, row in enumerate(frames[0].video_info['expressions'])]
    metric = METRICS.build(dict(type=name, prefix='a'))
    metric.process({}, [found.to_dict()])
    assert metric.evaluate(1)['a/J&F'] == pytest.approx(1.)

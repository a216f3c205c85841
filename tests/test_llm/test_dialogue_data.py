"""Dialogues out of the project's readers of expressions and of categories."""
import json

import numpy as np
import pytest
from mmdet.registry import DATASETS, METRICS
from mmengine.config import Config
from paths import CONFIGS
from toy_video_llm import talkative, toy_video

import projects.glee.llm  # noqa: F401
from projects.glee.llm.data import collate_dialogues
from projects.glee.structures.masks import decode
from projects.glee.structures.track import Track, encode_mask


def dataset_of(world, name, loader='train_dataloader', **changes):
    """The data set of a config of configs/glee/llm on a MiniWorld."""
    dataset = Config.fromfile(CONFIGS / f'llm/{name}.py')[loader].dataset
    dataset.data_root = dataset.data_root.replace('data/miniworld', str(world))
    return DATASETS.build(dict(dataset, **changes))


def test_dialogues_of_a_video_share_their_frames(world):
    dataset = dataset_of(world, 'glee_mini_llava-mini_video')
    masks = json.loads((world / 'mevis/train/mask_dict.json').read_text())
    videos = json.loads((world / 'mevis/train/meta_expressions.json').read_text())['videos']
    np.random.seed(0)
    items = dataset[0]
    assert len(items) == 3 and len(collate_dialogues([items, items])['inputs']) == 6
    video = videos[dataset.get_data_info(0)['video_info']['name']]
    for item in items:
        sample = item['data_samples']
        assert item['inputs'] is items[0]['inputs'] and len(item['inputs']) == 8
        frames = [source.frame for source in sample.said]
        assert frames == list(range(frames[0], frames[0] + 4)) and sample.seg_pictures == [4, 5, 6, 7]
        question = sample.turns[1].asked[1]
        assert [turn.asked[-1] for turn in sample.turns] == [question] * 4
        assert sample.turns[0].asked[:4] == (0, 1, 2, 3) and [turn.asked[-2] for turn in sample.turns] == [4, 5, 6, 7]
        expression = next(one for one in video['expressions'].values()
                          if question == f'Can you segment the {one["exp"].removeprefix("the ")} in this frame?')
        for frame, mask in zip(frames, sample.gt_masks):
            truth = np.zeros(mask.shape, bool)
            for number in expression['anno_id']:
                if masks[str(number)][frame] is not None:
                    truth |= decode(masks[str(number)][frame])
            assert np.array_equal(mask, truth)
    dataset.pipeline.transforms[0].first = 1.
    assert all(dataset[0][0]['data_samples'].said[0].frame == 0 for _ in range(3))
    dataset.pipeline.transforms[0].window = 99
    assert dataset.prepare_data(0) is None  # too short


def test_names_of_categories_are_expressions(world):
    dataset = DATASETS.build(dict(
        type='YTVISJsonDataset', data_root=f'{world}/lvvis/', ann_file='train_instances.json',
        data_prefix=dict(img='train/JPEGImages/'), pipeline=[dict(type='AskVideo', expressions=9, source='lvvis')]))
    item = dataset[0]
    shown = {instance['bbox_label'] for frame in dataset.get_data_info(0)['images'] for instance in frame['instances']}
    assert 1 <= len(item) <= len(shown)
    assert all('_' not in one['data_samples'].turns[0].asked[-1] for one in item)


def test_a_whole_video_is_tested_and_scored(world):
    dataset = dataset_of(world, 'glee_mini_llava-mini_video', 'test_dataloader')
    batch = collate_dialogues([dataset[0]])
    frames, sample = batch['inputs'][0], batch['data_samples'][0]
    assert len(frames) == len(sample) and frames[0].shape[:2] == sample[0].ori_shape
    model = talkative(toy_video())
    sample.video_data_samples = [frame for frame in sample.video_data_samples]
    found = model([frames], [sample], 'predict')[0]
    for track in found.pred_tracks:
        assert len(track.segmentations) == len(frames)
        assert all(rle is None or tuple(rle['size']) == sample[0].ori_shape for rle in track.segmentations)
    # the truth as the answer scores 1
    found.pred_tracks = []
    for label, expression in enumerate(sample[0].video_info['expressions']):
        masks = []
        for frame in sample.video_data_samples:
            rles = [one['mask'] for one in frame.instances if one['instance_id'] in expression['object_ids']]
            masks.append(np.any([decode(rle) for rle in rles], 0) if rles else np.zeros(frame.ori_shape, bool))
        rles = [encode_mask(mask) for mask in masks]
        found.pred_tracks.append(Track(label + 1, label, 1., rles, [None] * len(masks)))
    metric = METRICS.build(dict(type='ExpressionJFMetric', prefix='mevis'))
    metric.process({}, [found.to_dict()])
    assert metric.evaluate(1)['mevis/J&F'] == pytest.approx(1.)


@pytest.mark.parametrize('folder', ['refcoco-unc', 'refcocoplus-unc', 'refcocog-umd'])
def test_sentences_of_refcoco_are_turns(world, folder):
    dataset = DATASETS.build(dict(
        type='RefCocoJsonDataset', data_root=f'{world}/', ann_file=f'annotations/{folder}/instances_train.json',
        data_prefix=dict(img='coco/train2014/'), pipeline=[dict(type='AskReferring', max_turns=2)]))
    record = dataset.get_data_info(0)
    sample = dataset[0]['data_samples']
    assert len(sample.turns) == 2 == len(sample.gt_masks) and sample.turns[0].asked[0] == 0
    said = {turn.asked[-1] for turn in sample.turns}
    assert said <= {f'Can you segment the {text.removeprefix("the ")} in this image?' for text in record['text']}
    x1, y1, x2, y2 = record['instances'][0]['bbox']
    ys, xs = sample.gt_masks[0].nonzero()
    assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == pytest.approx((x1, y1, x2, y2), abs=1.5)

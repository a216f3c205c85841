"""Readers of videos, windows of frames and training clips, on tiny files in the real formats."""
import json

import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from data_fixtures import captured_log, save_image, write_coco, write_json
from mmdet.evaluation import YouTubeVISMetric
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from PIL import Image

from projects.glee.datasets import (
    BURSTDataset,
    ExpressionVideosDataset,
    FilterFrameObjects,
    FirstMaskPrompts,
    ForEachFrame,
    FrameWindow,
    LoadFrame,
    LoadFrameInstances,
    MetaExpressionsDataset,
    ObjectInFirstFrame,
    PackClip,
    PackFrame,
    PickVideoExpression,
    PillowResize,
    PNGTreeDataset,
    PseudoClip,
    RasterizeMasks,
    SampleClip,
    SetSource,
    TextCocoDataset,
    WarpPrompts,
    WindowSampler,
    YTVISJsonDataset,
)

H, W = 24, 32


def square(x, y, side=8):
    mask = np.zeros((H, W), np.uint8)
    mask[y:y + side, x:x + side] = 1
    return mask


def rle(mask):
    encoded = mask_utils.encode(np.asfortranarray(mask))
    return dict(size=[H, W], counts=encoded['counts'].decode())


def ytvis_track(track_id, video_id, category, corners, **extra):
    """A track of 8 px squares; None where it is absent."""
    return dict(id=track_id, video_id=video_id, category_id=category, iscrowd=0,
                bboxes=[c and [*c, 8, 8] for c in corners], segmentations=[c and rle(square(*c)) for c in corners],
                areas=[c and 64 for c in corners], **extra)


def ytvis_content(**video_extra):
    videos = [dict(id=video, height=H, width=W, length=3, file_names=[f'v{video}/{i}.jpg' for i in range(3)],
                   **video_extra) for video in (4, 7)]
    annotations = [ytvis_track(0, 4, 9, [(0, 0), None, (4, 2)]), ytvis_track(1, 4, 5, [None, (8, 8), (9, 8)]),
                   ytvis_track(0, 7, 5, [(1, 1), (2, 1), (3, 1)])]
    annotations[1]['iscrowd'] = 1
    categories = [dict(id=9, name='star', partition=0, merged=[dict(id=5)]), dict(id=5, name='ring', partition=3)]
    return dict(videos=videos, annotations=annotations, categories=categories)


def ytvis(tmp_path, content, **kwargs):
    write_json(tmp_path / 'ann.json', content)
    return YTVISJsonDataset(data_root=str(tmp_path), ann_file='ann.json', data_prefix=dict(img='frames/'),
                            **{'pipeline': [], 'test_mode': True, **kwargs})


def test_ytvis_identities_are_unique_and_start_at_1(tmp_path):
    """File ids 0, 1, 0 become 1, 2, 3; boxes are xyxy; crowds are marked; absent frames hold nothing."""
    dataset = ytvis(tmp_path, ytvis_content())
    assert dataset.metainfo['classes'] == ('star', 'ring') and dataset.metainfo['category_ids'] == (9, 5)
    assert dataset.metainfo['partition'] == (0, 3) and dataset.metainfo['merged_labels'] == (0, 0)
    first, second = dataset.get_data_info(0), dataset.get_data_info(1)
    assert [[o['instance_id'] for o in frame['instances']] for frame in first['images']] == [[1], [2], [1, 2]]
    assert [[o['instance_id'] for o in frame['instances']] for frame in second['images']] == [[3], [3], [3]]
    instance = first['images'][2]['instances'][0]
    assert instance['bbox'] == [4, 2, 12, 10] and instance['bbox_label'] == 0 and not instance['ignore_flag']
    assert np.array_equal(mask_utils.decode(instance['mask']), square(4, 2))
    assert first['images'][2]['instances'][1]['ignore_flag'] == 1
    assert [o['is_first'] for frame in first['images'] for o in frame['instances']] == [True, True, False, False]
    assert first['images'][1]['img_path'] == f'{tmp_path}/frames/v4/1.jpg'
    assert (first['video_id'], first['video_length'], first['width'], first['height']) == (4, 3, W, H)
    assert first['video_info']['name'] == 'v4'


def test_ytvis_windows_carry_text_and_position(tmp_path):
    """A window's frames know the video; an index gives the whole video."""
    dataset = ytvis(tmp_path, ytvis_content())
    window = dataset[FrameWindow(1, 1, 3)]['frames']
    assert [frame['frame_id'] for frame in window] == [1, 2]
    assert all(frame['text'] == ('star', 'ring') and frame['video_id'] == 7 and frame['ori_video_length'] == 3
               for frame in window)
    assert len(dataset[0]['frames']) == 3
    assert ytvis(tmp_path, ytvis_content(), text=('object', 'object'))[0]['frames'][0]['text'] == ('object', 'object')


def test_tao_ids_and_federation_come_from_the_eval_file(tmp_path):
    """image_ids become img_id; negative categories are taken by video id; boxes alone are objects."""
    content = ytvis_content(image_ids=[71, 72, 73])
    for track in content['annotations']:
        del track['segmentations']
    write_json(tmp_path / 'eval.json', dict(videos=[
        dict(id=4, name='val/a', neg_category_ids=[5], not_exhaustive_category_ids=[]),
        dict(id=7, name='val/b', neg_category_ids=[], not_exhaustive_category_ids=[9])]))
    record = ytvis(tmp_path, content, eval_file='eval.json').get_data_info(1)
    assert [frame['img_id'] for frame in record['images']] == [71, 72, 73]
    assert record['video_info']['not_exhaustive_category_ids'] == [9] and record['video_info']['name'] == 'val/b'
    assert record['images'][0]['instances'][0]['bbox'] == [1, 1, 9, 9]
    assert 'mask' not in record['images'][0]['instances'][0]


def test_ytvis_without_annotations_and_errors(tmp_path):
    """Hidden annotations read as none; wrong lengths and unknown videos are named; empty videos are dropped."""
    hidden = ytvis_content()
    hidden['annotations'] = None
    assert all(not frame['instances'] for frame in ytvis(tmp_path, hidden).get_data_info(0)['images'])
    short = ytvis_content()
    short['annotations'][0]['bboxes'].pop()
    with pytest.raises(ValueError, match='track 0 has 2 bboxes but video 4 has 3 frames'):
        ytvis(tmp_path, short)
    stray = ytvis_content()
    stray['annotations'][0]['video_id'] = 99
    with pytest.raises(ValueError, match='video 99'):
        ytvis(tmp_path, stray)
    with pytest.raises(ValueError, match='categories'):
        ytvis(tmp_path, dict(ytvis_content(), categories=[]))
    lonely = ytvis_content()
    lonely['annotations'] = lonely['annotations'][2:]
    train = ytvis(tmp_path, lonely, test_mode=False, filter_cfg=dict(filter_empty_gt=True))
    assert len(train) == 1 and train.get_data_info(0)['video_id'] == 7


def test_expressions_of_a_video_are_grouped(tmp_path):
    """Entries per sentence become one item; an object that two sentences mean appears once."""
    videos, annotations = [], []
    for number, (obj, sentence) in enumerate([(1, 'the star'), (2, 'the ring'), (1, 'the left one')], 1):
        videos.append(dict(id=number, video='clip', height=H, width=W, file_names=['clip/0.jpg', 'clip/1.jpg'],
                           expressions=[sentence], exp_id=str(number - 1), obj_id=obj))
        annotations.append(ytvis_track(number, number, 1, [(4 * obj, 0), (4 * obj, 1)]))
    for name in ('a.json', 'b.json'):
        write_json(tmp_path / name, dict(videos=videos, annotations=annotations,
                                         categories=[dict(id=1, name='object')]))
    dataset = ExpressionVideosDataset(data_root=f'{tmp_path}/', ann_files=['a.json', 'b.json'], pipeline=[],
                                      data_prefix=dict(img='x/'), test_mode=True)
    assert len(dataset) == 2
    first, second = dataset.get_data_info(0), dataset.get_data_info(1)
    assert first['text'] == ('the star', 'the ring', 'the left one')
    assert [e['object_ids'] for e in first['video_info']['expressions']] == [[1], [2], [1]]
    assert [[o['instance_id'] for o in frame['instances']] for frame in first['images']] == [[1, 2], [1, 2]]
    assert [e['object_ids'] for e in second['video_info']['expressions']] == [[3], [4], [3]]
    assert (first['video_info']['annotator'], second['video_info']['annotator']) == (0, 1)
    assert dataset[1]['frames'][0]['text'] == first['text']


def mevis(tmp_path, masks):
    write_json(tmp_path / 'meta.json', dict(videos=dict(clip=dict(frames=['00000', '00001'], expressions={
        '0': dict(exp='both', obj_id=[0, 1], anno_id=[0, 1]), '1': dict(exp='one', obj_id=[1], anno_id=[1])}))))
    write_json(tmp_path / 'masks.json', masks)
    return MetaExpressionsDataset(data_root=str(tmp_path), ann_file='meta.json', mask_file='masks.json', pipeline=[],
                                  data_prefix=dict(img='frames/'), test_mode=True)


def test_meta_expressions_read_masks_by_annotation(tmp_path):
    """Several objects per sentence, null masks, boxes of masks; missing annotations are named."""
    masks = {'0': [rle(square(0, 0)), None], '1': [None, rle(square(5, 6))]}
    record = mevis(tmp_path, masks).get_data_info(0)
    assert record['text'] == ('both', 'one') and (record['height'], record['width']) == (H, W)
    assert [e['object_ids'] for e in record['video_info']['expressions']] == [[1, 2], [2]]
    assert record['images'][1]['instances'][0]['bbox'] == [5, 6, 13, 14]
    assert record['images'][0]['img_path'] == f'{tmp_path}/frames/clip/00000.jpg'
    with pytest.raises(ValueError, match=r"lacks anno_id \['1'\] of video clip"):
        mevis(tmp_path, {'0': masks['0']})
    with pytest.raises(ValueError, match='anno_id 0 has 1 masks'):
        mevis(tmp_path, {**masks, '0': masks['0'][:1]})


def png_tree(tmp_path, **kwargs):
    """Two videos; in the second, object 2 appears in the last frame and frame 1 has no PNG."""
    maps = {'a': [square(0, 0)], 'b': [square(2, 2), None, square(2, 2) + 2 * square(20, 10)]}
    for name, frames in maps.items():
        for i, index_map in enumerate(frames):
            save_image(tmp_path / 'img' / name / f'{i:05d}.jpg', W, H, seed=i)
            if index_map is not None:
                picture = Image.fromarray(index_map, mode='P')
                picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
                (tmp_path / 'ann' / name).mkdir(parents=True, exist_ok=True)
                picture.save(tmp_path / 'ann' / name / f'{i:05d}.png')
    return PNGTreeDataset(data_root=str(tmp_path), data_prefix=dict(img='img/', ann='ann/'),
                          **{'pipeline': [], 'test_mode': True, **kwargs})


def test_png_tree_identities_first_frames_and_void(tmp_path):
    """Identities are unique over videos; objects know where they appear; 255 is void."""
    write_json(tmp_path / 'meta.json', dict(videos=dict(b=dict(objects={'1': dict(category='x'),
                                                                       '2': dict(category='y')}))))
    dataset = png_tree(tmp_path, meta_file='meta.json', unseen_categories=['y'])
    first, second = dataset[0]['frames'], dataset[1]['frames']
    assert [o['instance_id'] for o in first[0]['instances']] == [1]
    assert [frame['annotated'] for frame in second] == [True, False, True]
    assert [[(o['instance_id'], o['is_first']) for o in frame['instances']] for frame in second] == [
        [(256, True)], [], [(256, False), (257, True)]]
    assert np.array_equal(mask_utils.decode(second[2]['instances'][1]['mask']), square(20, 10))
    assert second[0]['video_info']['unseen'] == [257] and second[0]['text'] == ('object', )
    assert second[0]['video_info']['object_numbers']['257'] == 2
    assert 'void' not in second[0]
    path = tmp_path / 'ann/a/00000.png'
    Image.fromarray(np.where(square(0, 0) > 0, 255, 0).astype(np.uint8)).save(path)
    frame = dataset[0]['frames'][0]
    assert frame['instances'] == [] and np.array_equal(mask_utils.decode(frame['void']), square(0, 0))
    Image.new('RGB', (W, H)).save(path)
    with pytest.raises(ValueError, match='RGB picture'):
        dataset[0]


def test_png_tree_split_file(tmp_path):
    """Only the listed videos."""
    png_tree(tmp_path)
    (tmp_path / 'val.txt').write_text('b\n')
    dataset = png_tree(tmp_path, split_file='val.txt')
    assert [dataset.get_data_info(i)['video_info']['name'] for i in range(len(dataset))] == ['b']


def test_burst_reads_its_own_format(tmp_path):
    """Counts become masks; track numbers become identities that are unique over sequences."""
    def sequence(number, tracks):
        return dict(id=number, dataset='D', seq_name=f's{number}', height=H, width=W, fps=1, neg_category_ids=[9],
                    not_exhaustive_category_ids=[], annotated_image_paths=['f1.jpg', 'f4.jpg'],
                    track_category_ids={str(t): 5 for t in tracks},
                    segmentations=[{str(tracks[0]): dict(rle=rle(square(3, 3))['counts'], is_gt=True)}, {}])
    write_json(tmp_path / 'b.json', dict(sequences=[sequence(1, [1, 2]), sequence(2, [1])],
                                         categories=[dict(id=9, name='star'), dict(id=5, name='ring')]))
    dataset = BURSTDataset(data_root=str(tmp_path), ann_file='b.json', data_prefix=dict(img='f/'), pipeline=[],
                           test_mode=True)
    first, second = dataset.get_data_info(0), dataset.get_data_info(1)
    assert [o['instance_id'] for o in first['images'][0]['instances']] == [1]
    assert [o['instance_id'] for o in second['images'][0]['instances']] == [3]
    assert first['images'][0]['instances'][0]['bbox'] == [3, 3, 11, 11]
    assert first['images'][0]['instances'][0]['bbox_label'] == 1 and first['images'][1]['instances'] == []
    assert first['images'][1]['img_path'] == f'{tmp_path}/f/D/s1/f4.jpg'
    assert first['video_info']['neg_category_ids'] == [9]


class Lengths:
    """Stands for a data set of videos of some lengths."""

    def __init__(self, lengths):
        self.lengths = lengths

    def __len__(self):
        return len(self.lengths)

    def get_data_info(self, index):
        return dict(video_id=index + 10, video_length=self.lengths[index])


def test_windows_cover_every_frame_once_in_order(tmp_path):
    """Last windows are shorter; finished videos are left out."""
    sampler = WindowSampler(Lengths([5, 2, 4]), window=2)
    assert list(sampler) == [(0, 0, 2), (0, 2, 4), (0, 4, 5), (1, 0, 2), (2, 0, 2), (2, 2, 4)]
    assert len(sampler) == 6
    (tmp_path / '11.json').write_text('{}')
    with captured_log() as messages:
        resumed = WindowSampler(Lengths([5, 2, 4]), window=10, resume_dir=str(tmp_path))
    assert list(resumed) == [(0, 0, 5), (2, 0, 4)] and '1 of 3 videos' in messages[0]
    with pytest.raises(ValueError, match='window >= 1'):
        WindowSampler(Lengths([1]), window=0)


def test_ranks_share_whole_videos(monkeypatch):
    """Every video goes to one rank, and the ranks get about as many frames."""
    dealt = []
    for rank in range(2):
        monkeypatch.setattr('projects.glee.datasets.samplers.window_sampler.get_dist_info', lambda rank=rank: (rank, 2))
        dealt.append(WindowSampler(Lengths([9, 1, 4, 6]), window=3))
    assert sorted(dealt[0].videos + dealt[1].videos) == [0, 1, 2, 3]
    frames = [sum(s.lengths[v] for v in s.videos) for s in dealt]
    assert frames == [10, 10]


def test_clips_stay_in_range_and_order(tmp_path):
    """Two frames within the range, at least the interval apart, sorted as asked."""
    np.random.seed(0)
    for order in ('forward', 'backward', 'random'):
        sampler, pairs = SampleClip(num_frames=2, frame_range=3, min_interval=2, order=order), set()
        for _ in range(300):
            pairs.add(tuple(sampler.draw(8)))
        gaps = {b - a for a, b in pairs}
        expected = dict(forward={2, 3}, backward={-2, -3}, random={2, 3, -2, -3})[order]
        assert gaps == expected
    released = SampleClip(num_frames=4, frame_range=12)
    drawn = released.draw(30)
    assert drawn == sorted(drawn) and len(drawn) == 4 and max(drawn) - min(drawn) <= 24
    assert SampleClip(num_frames=2).draw(1) == [0, 0]
    with pytest.raises(ValueError, match="order='sideways'"):
        SampleClip(order='sideways')


def test_shared_object_is_in_all_frames(tmp_path):
    """With shared_object both frames hold a common object, or the sample is given up."""
    dataset = ytvis(tmp_path, ytvis_content(), test_mode=False,
                    pipeline=[SampleClip(num_frames=2, min_interval=1, shared_object=True, tries=50)])
    for seed in range(10):
        np.random.seed(seed)
        frames = dataset.prepare_data(0)['frames']
        ids = [{o['instance_id'] for o in frame['instances'] if not o['ignore_flag']} for frame in frames]
        assert ids[0] & ids[1] == {1} and [frame['frame_id'] for frame in frames] == [0, 2]
    content = ytvis_content()
    content['annotations'] = [ytvis_track(0, 4, 9, [(0, 0), None, None]), content['annotations'][2]]
    lonely = ytvis(tmp_path, content, test_mode=False,
                   pipeline=[SampleClip(num_frames=2, min_interval=1, shared_object=True)])
    assert lonely.prepare_data(0) is None


def frames_pipeline(*augmentations, share=False):
    return [ForEachFrame([LoadFrame(), LoadFrameInstances(), *augmentations, RasterizeMasks(), FilterFrameObjects(),
                          SetSource('ytvis', supervision=('semantic', 'box', 'mask', 'track')), PackFrame()],
                         share=share), ObjectInFirstFrame(), PackClip()]


def write_frames(tmp_path):
    for video in (4, 7):
        for i in range(3):
            save_image(tmp_path / f'frames/v{video}/{i}.jpg', W, H, seed=i)


def test_clip_pipeline_packs_identities_and_shares_the_flip(tmp_path):
    """Masks follow the flip; all frames flip alike; identities survive filtering."""
    write_frames(tmp_path)
    flip = dict(type='RandomFlip', prob=0.5)
    dataset = ytvis(tmp_path, ytvis_content(), test_mode=False,
                    pipeline=[SampleClip(num_frames=2, min_interval=1), *frames_pipeline(flip, share=True)])
    flips = set()
    for seed in range(12):
        np.random.seed(seed)
        packed = dataset.prepare_data(1)
        first, second = packed['data_samples'].video_data_samples
        assert packed['inputs'].shape == (2, 3, H, W) and packed['inputs'].dtype == torch.uint8
        assert first.flip == second.flip
        flips.add(first.flip)
        assert first.gt_instances.instances_ids.tolist() == second.gt_instances.instances_ids.tolist() == [3]
        column = first.gt_instances.masks.masks[0].any(0).nonzero()[0][0]
        left = 1 + first.frame_id
        assert column == (W - left - 8 if first.flip else left)
    assert flips == {True, False}
    independent = ytvis(tmp_path, ytvis_content(), test_mode=False,
                        pipeline=[SampleClip(num_frames=2), *frames_pipeline(flip)])
    np.random.seed(0)
    pairs = {tuple(s.flip for s in independent.prepare_data(1)['data_samples'].video_data_samples)
             for _ in range(20)}
    assert len(pairs) > 2


def test_a_first_frame_without_objects_is_swapped(tmp_path):
    """The first frame that has an object comes first; crowds are not objects."""
    write_frames(tmp_path)
    dataset = ytvis(tmp_path, ytvis_content(), pipeline=frames_pipeline())
    order = [frame.frame_id for frame in dataset[FrameWindow(0, 1, 3)]['data_samples'].video_data_samples]
    assert order == [2, 1]
    assert ObjectInFirstFrame(require=True).transform(
        dict(frames=[dict(data_samples=dataset[FrameWindow(0, 1, 2)]['data_samples'][0])])) is None


def test_frames_of_another_size_and_corrupt_ones_do_not_end_a_video(tmp_path):
    """The one is resized to the annotated size, the other becomes black; both are logged."""
    write_frames(tmp_path)
    save_image(tmp_path / 'frames/v7/1.jpg', 2 * W, 2 * H)
    (tmp_path / 'frames/v7/2.jpg').write_bytes(b'no picture')
    dataset = ytvis(tmp_path, ytvis_content(), pipeline=[
        ForEachFrame([LoadFrame(), SetSource('test'), PackFrame(with_truth=True)]), PackClip()])
    with captured_log() as messages:
        packed = dataset[1]
    assert packed['inputs'].shape == (3, 3, H, W)
    samples = packed['data_samples'].video_data_samples
    assert all(sample.img_shape == sample.ori_shape == (H, W) for sample in samples)
    assert 'unreadable' not in samples[0] and samples[2].unreadable and (packed['inputs'][2] == 0).all()
    assert any('2.jpg' in message and 'black frame' in message for message in messages)
    assert any('1.jpg is (48, 64)' in message for message in messages)
    assert [o['instance_id'] for o in samples[1].instances] == [3]


def test_frames_of_different_sizes_are_packed():
    """Padded with zeros to the largest height and width."""
    frames = [dict(inputs=torch.full((3, *size), 7, dtype=torch.uint8), data_samples=DetDataSample())
              for size in ((5, 8), (6, 4))]
    packed = PackClip().transform(dict(frames=frames))
    assert packed['inputs'].shape == (2, 3, 6, 8)
    assert (packed['inputs'][0, :, :5] == 7).all() and (packed['inputs'][0, :, 5:] == 0).all()
    assert (packed['inputs'][1, :, :, :4] == 7).all() and (packed['inputs'][1, :, :, 4:] == 0).all()


def test_first_masks_become_prompts_at_the_resized_size(tmp_path):
    """Only objects that appear; identities travel; masks follow the resize."""
    dataset = png_tree(tmp_path, pipeline=[ForEachFrame([
        LoadFrame(), FirstMaskPrompts(), PillowResize(scale=(2 * W, 2 * H)), WarpPrompts(), SetSource('test'),
        PackFrame(with_truth=True)]), PackClip()])
    samples = dataset[1]['data_samples'].video_data_samples
    assert samples[0].prompts.instance_ids.tolist() == [256] and samples[2].prompts.instance_ids.tolist() == [257]
    assert 'prompts' not in samples[1]
    expected = np.kron(square(20, 10), np.ones((2, 2))).astype(bool)
    assert np.array_equal(samples[2].prompts.masks[0].numpy(), expected)
    assert samples[0].prompts.kinds == ['mask']


@pytest.mark.parametrize('kind, rows, columns', [('point', (12, 14), (22, 24)), ('box', (10, 18), (20, 28))])
def test_a_click_or_a_box_in_place_of_the_first_mask(tmp_path, kind, rows, columns):
    """The first of the deepest pixels of the square at (20, 10) is (23, 13); a click is 2 x 2 px in small pictures."""
    frame = [LoadFrame(), FirstMaskPrompts(kind), WarpPrompts(), SetSource('test'), PackFrame(with_truth=True)]
    dataset = png_tree(tmp_path, pipeline=[ForEachFrame(frame), PackClip()])
    prompts = dataset[1]['data_samples'].video_data_samples[2].prompts
    expected = np.zeros((H, W), bool)
    expected[slice(*rows), slice(*columns)] = True
    assert np.array_equal(prompts.masks[0].numpy(), expected) and prompts.kinds == [kind]
    with pytest.raises(ValueError, match='kind'):
        FirstMaskPrompts('circle')


def test_one_sentence_and_the_union_of_its_objects(tmp_path):
    """The chosen sentence and its objects alone remain; several become one."""
    masks = {'0': [rle(square(0, 0)), None], '1': [rle(square(20, 6)), rle(square(5, 6))]}
    frames = mevis(tmp_path, masks)[0]['frames']
    seen = set()
    for seed in range(10):
        np.random.seed(seed)
        picked = PickVideoExpression().transform(dict(frames=frames))['frames']
        seen.add(picked[0]['text'][0])
        assert picked[0]['text'] == picked[1]['text'] and len(picked[0]['instances']) == 1
        objects = [0, 1] if picked[0]['text'] == ['both'] else [1]
        union = np.maximum.reduce([mask_utils.decode(masks[str(i)][0]) for i in objects])
        assert np.array_equal(mask_utils.decode(picked[0]['instances'][0]['mask']), union)
        assert picked[0]['instances'][0]['bbox'] == ([0, 0, 28, 14] if len(objects) == 2 else [20, 6, 28, 14])
    assert seen == {'both', 'one'}


def test_pseudo_clips_number_objects_and_limit_them():
    """Identities agree between the copies; at most ``max_objects`` remain."""
    image = dict(img_id=5, img_path='x.jpg', text=('a', ), instances=[dict(bbox=[i, 0, i + 1, 1], bbox_label=0)
                                                                      for i in range(40)])
    np.random.seed(0)
    first, second = PseudoClip(num_frames=2, max_objects=30).transform(image)['frames']
    ids = [o['instance_id'] for o in first['instances']]
    assert len(set(ids)) == 30 and ids == [o['instance_id'] for o in second['instances']]
    assert all(o['bbox'][0] == o['instance_id'] - 1 for o in first['instances'])
    assert (first['frame_id'], second['frame_id'], first['video_id']) == (0, 1, 5)
    first['instances'][0]['bbox'][0] = -1
    assert second['instances'][0]['bbox'][0] != -1


def test_json_survives(tmp_path):
    """``video_info`` is plain data."""
    json.dumps(ytvis(tmp_path, ytvis_content(neg_category_ids=[5])).get_data_info(0)['video_info'])
    json.dumps(png_tree(tmp_path).get_data_info(0)['video_info'])


def test_identities_suit_the_stock_metric(tmp_path):
    """mmdet's YouTubeVISMetric gives a perfect prediction 1; it would not with ids from 0 or repeated ones."""
    content = ytvis_content()
    content['annotations'][1]['iscrowd'] = 0
    dataset = ytvis(tmp_path, content, pipeline=[])
    metric = YouTubeVISMetric()
    metric.dataset_meta = dataset.metainfo
    for index in range(2):
        clip, samples = TrackDataSample(), []
        for frame in dataset[index]['frames']:
            found = frame['instances']
            samples.append(DetDataSample(metainfo=dict(frame, ori_shape=(H, W))))
            masks = [mask_utils.decode(o['mask']).astype(bool) for o in found]
            samples[-1].pred_track_instances = InstanceData(
                bboxes=torch.tensor([o['bbox'] for o in found]).reshape(-1, 4), scores=torch.ones(len(found)),
                labels=torch.tensor([o['bbox_label'] for o in found]),
                masks=torch.from_numpy(np.array(masks).reshape(-1, H, W)),
                instances_id=torch.tensor([o['instance_id'] for o in found]))
        clip.video_data_samples = samples
        metric.process({}, [clip.to_dict()])
    assert metric.evaluate(2)['youtube_vis/segm_mAP'] == 1.0


def test_still_images_become_clips_of_two_augmentations(tmp_path):
    """A COCO file through the clip pipeline: frames flip on their own, identities agree."""
    write_coco(tmp_path, ['star', 'ring'], [[(0, (2, 4, 10, 8)), (1, (30, 20, 12, 12))]])
    dataset = TextCocoDataset(
        data_root=str(tmp_path), ann_file='annotations/instances_train2017.json', data_prefix=dict(img='train2017/'),
        pipeline=[PseudoClip(), *frames_pipeline(dict(type='RandomFlip', prob=0.5))])
    np.random.seed(1)
    flips = set()
    for _ in range(30):
        first, second = dataset[0]['data_samples'].video_data_samples
        flips.add((first.flip, second.flip))
        assert first.gt_instances.instances_ids.tolist() == second.gt_instances.instances_ids.tolist() == [1, 2]
        assert first.gt_instances.labels.tolist() == [0, 1] and first.text == ('star', 'ring')
        for frame in (first, second):
            column = frame.gt_instances.masks.masks[0].any(0).nonzero()[0][0]
            assert column == (64 - 2 - 10 if frame.flip else 2)
    assert len(flips) == 4

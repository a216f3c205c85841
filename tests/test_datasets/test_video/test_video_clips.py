"""Training clips and the frames of a video, on tiny files in the real formats."""
import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from image_files import save_image, write_coco
from logs import captured_log
from mmdet.structures import DetDataSample
from rle import rle
from video_files import H, W, mevis, png_tree, square, ytvis, ytvis_content, ytvis_track

from projects.glee.datasets.image import TextCocoDataset
from projects.glee.datasets.transforms import (
    FilterFrameObjects,
    FirstMaskPrompts,
    ForEachFrame,
    LoadFrame,
    LoadFrameInstances,
    LoadImage,
    ObjectInFirstFrame,
    PackClip,
    PackFrame,
    PickVideoExpression,
    PillowResize,
    PseudoClip,
    RasterizeMasks,
    SampleClip,
    SetSource,
    WarpPrompts,
)
from projects.glee.datasets.video import FrameWindow


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


def test_a_training_clip_with_a_corrupt_frame_is_replaced_and_counted(tmp_path):
    """Video 4 is lost: each of 10 asked clips of it becomes one of video 7; every skip is logged with the count."""
    write_frames(tmp_path)
    for frame in range(3):
        (tmp_path / f'frames/v4/{frame}.jpg').write_bytes(b'no picture')
    load = LoadImage(skip_unreadable=True)
    dataset = ytvis(tmp_path, ytvis_content(), test_mode=False, pipeline=[
        SampleClip(num_frames=2), ForEachFrame([load, LoadFrameInstances(), RasterizeMasks(), SetSource('ytvis'),
                                                PackFrame()]), PackClip()])
    np.random.seed(0)
    with captured_log() as messages:
        clips = [dataset[0]['data_samples'] for _ in range(10)]
    assert {frame.video_id for clip in clips for frame in clip.video_data_samples} == {7}
    skipped = [message for message in messages if 'another sample takes its place' in message]
    assert load.skipped.value == len(skipped) >= 10 and all('frames/v4/' in message for message in skipped)
    assert skipped[-1].endswith(f'({len(skipped)} skipped so far)')


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

"""Which losses a batch trains."""
import pytest
import torch
from mmdet.registry import TASK_UTILS
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from sync_counter import DEVICE, pretended_device

from projects.glee.models.losses import DynamicLossSelector, LossSwitch
from projects.glee.models.losses.dynamic_loss_selector import check_labels, labels_outside

DETECTION = ('semantic', 'box')
INSTANCE = ('semantic', 'box', 'mask')


def sample(supervision=INSTANCE, text_mode='category', prompts=False, **gt):
    data = DetDataSample(metainfo=dict(text_mode=text_mode))
    if supervision is not None:
        data.set_metainfo(dict(supervision=supervision))
    if prompts:
        data.prompts = InstanceData(masks=torch.ones(1, 4, 4, dtype=torch.bool))
    if gt:
        data.gt_instances = InstanceData(**gt)
    return data


def clip(*frames):
    track = TrackDataSample()
    track.video_data_samples = list(frames)
    return track


def names(switch):
    """The terms that are on."""
    return {key for key, on in vars(switch).items() if on}


# rows of DESIGN section 5, 'Losses'
@pytest.mark.parametrize('case, mode, expected', [
    (sample(DETECTION), 'frozen', {'semantic', 'box', 'match_boxes'}),
    (sample(INSTANCE), 'unfrozen', {'semantic', 'box', 'mask', 'match_boxes', 'match_masks'}),
    (sample(INSTANCE), 'distill',
     {'semantic', 'box', 'mask', 'distillation', 'match_boxes', 'match_masks'}),
    (sample(INSTANCE, 'expression'), 'distill',
     {'semantic', 'box', 'mask', 'match_boxes', 'match_masks'}),
    (sample(('semantic', 'coarse_box')), 'frozen', {'semantic', 'match_boxes'}),
    (sample(DETECTION, prompts=True), 'frozen',
     {'semantic', 'box', 'confidence', 'match_boxes'}),
    (clip(sample((*DETECTION, 'track')), sample((*DETECTION, 'track'))), 'frozen',
     {'semantic', 'box', 'tracking', 'match_boxes'}),
    # one frame has nothing to be compared with
    (sample((*DETECTION, 'track')), 'frozen', {'semantic', 'box', 'match_boxes'}),
    # a clip without identities
    (clip(sample(DETECTION), sample(DETECTION)), 'frozen', {'semantic', 'box', 'match_boxes'}),
    (clip(sample((*DETECTION, 'track'), prompts=True)), 'frozen',
     {'semantic', 'box', 'confidence', 'match_boxes'}),
])
def test_terms_of_each_kind_of_batch(case, mode, expected):
    assert names(DynamicLossSelector()([case, case], mode)) == expected


def test_stock_samples_are_supervised_by_what_they_hold():
    data = sample(None, labels=torch.zeros(1), bboxes=torch.zeros(1, 4))
    assert names(DynamicLossSelector()([data])) == {'semantic', 'box', 'match_boxes'}
    data.gt_instances.masks = torch.zeros(1, 4, 4)
    assert 'mask' in names(DynamicLossSelector()([data]))


def test_disable_forces_a_term_off_and_leaves_the_matching():
    selector = TASK_UTILS.build(dict(type='DynamicLossSelector', disable=('mask', )))
    assert selector([sample()]) == LossSwitch(
        semantic=True, box=True, match_boxes=True, match_masks=True)
    selector = DynamicLossSelector(disable='match_masks')
    assert selector([sample()]) == LossSwitch(semantic=True, box=True, mask=True, match_boxes=True)


@pytest.mark.parametrize('batch, message', [
    ([sample(DETECTION), sample(INSTANCE)], "disagree on 'supervision'.*sample 1"),
    ([sample(), sample(text_mode='expression')], "disagree on 'text_mode'"),
    ([sample(), sample(), sample(prompts=True)], "disagree on 'prompts'.*sample 2"),
    ([sample(), clip(sample())], "disagree on 'clip'"),
    ([clip(sample(), sample(DETECTION))], "disagree on 'supervision'"),
    ([sample(('semantic', 'bbox'))], "sample 0 has supervision=.*bbox"),
    ([sample('box')], "must be a tuple"),
    ([sample(text_mode='caption')], "text_mode='caption'"),
    ([sample(None)], "sample 0 has neither metainfo 'supervision' nor gt_instances"),
    ([], 'without data samples'),
])
def test_wrong_batches_say_what_is_wrong(batch, message):
    with pytest.raises(ValueError, match=message):
        DynamicLossSelector()(batch)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="unknown terms \\['masks'\\]"):
        DynamicLossSelector(disable=('masks', ))
    with pytest.raises(ValueError, match="text_encoder_mode='train'"):
        DynamicLossSelector()([sample()], 'train')


def labelled(labels, text=('a', 'b', 'c'), **meta):
    data = sample(('semantic', ), labels=torch.tensor(labels, dtype=torch.long))
    data.set_metainfo(dict(text=text, **meta))
    return data


@pytest.mark.parametrize('bad', [3, -1])
def test_a_label_of_no_name_is_found_in_any_sample_or_frame(bad):
    """With source, image and label; what every loss and the denoising rely on."""
    good, wrong = labelled([0, 2]), labelled([1, bad], source='lvis', img_path='pic.jpg')
    message = f"source 'lvis', image pic.jpg: label {bad} is outside the 3 names of `text`"
    for batch in ([good, wrong], [clip(good, good), clip(good, wrong)]):
        with pytest.raises(ValueError, match=message):
            DynamicLossSelector()(batch)
    assert DynamicLossSelector()([good, labelled([])]).semantic


def test_labels_on_a_device_are_not_waited_for():
    """The selector leaves them to ``labels_outside``, whose answer comes with the next wait."""
    good, wrong = labelled([0, 2]), labelled([1, 3])
    assert labels_outside([good, wrong]) is None  # on the CPU the selector has looked
    with pretended_device() as waits:
        good, wrong = good.to(DEVICE), wrong.to(DEVICE)
        waits.clear()
        DynamicLossSelector()([good, wrong])
        assert labels_outside([good, wrong]) and not labels_outside([good]) and not waits
        with pytest.raises(ValueError, match='label 3 is outside the 3 names'):
            check_labels([good, wrong])

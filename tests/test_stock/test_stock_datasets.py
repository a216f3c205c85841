"""A training step and a tested picture of a mini GLEE on mmdet's data sets, in files as their owners write them."""
import numpy as np
import pytest
import stock_files as files
import torch
from mini_model import build, mini_config
from mmdet.datasets import CityscapesDataset, CocoPanopticDataset, VOCDataset, iSAIDDataset
from mmdet.registry import DATASETS
from mmengine.dataset import pseudo_collate
from stock_files import NAMES, SIZE, coco, pipeline


@pytest.fixture(scope='module')
def model():
    config = mini_config()
    config.panoptic_head.update(num_queries=10)
    return build(config)


def concatenated(root):
    return dict(type='ConcatDataset', datasets=[coco(root), coco(root)])


def repeated(root):
    return dict(type='RepeatDataset', times=2, dataset=coco(root))


def balanced(root):
    return dict(type='ClassBalancedDataset', oversample_thr=0.5, dataset=coco(root))


def mixed(*steps, masks=False):
    """mmdet's Mosaic and MixUp know no masks."""
    def config(root):
        inner = dict(coco(root), pipeline=pipeline(masks)[:-1])
        return dict(type='MultiImageMixDataset', dataset=inner, pipeline=[*steps, pipeline()[-1]])
    return config


def dod_to_train(root):
    """Its labels count through the sentences of all pictures, its text holds those of one."""
    return dict(files.dod(root), pipeline=pipeline(False, files.give_names('d3', files.SENTENCES)))


def panoptic_to_train(root):
    config = files.panoptic(root)
    config['pipeline'].insert(2, dict(type='StuffAsObjects'))
    return config


# The config, whether it has masks, the names and the labels of the objects of its first picture.
CELLS = dict(
    CocoDataset=(coco, True, NAMES, [0, 1]),
    CocoDataset_boxes=(files.coco_boxes, False, NAMES, [0, 1]),
    LVISV1Dataset=(files.lvis, True, NAMES, [0, 1]),
    Objects365V1Dataset=(files.objects365_v1, False, NAMES, [0, 1]),
    Objects365V2Dataset=(files.objects365_v2, False, NAMES, [0, 1]),
    V3DetDataset=(files.v3det, False, NAMES, [0, 1]),
    CityscapesDataset=(files.cityscapes, True, CityscapesDataset.METAINFO['classes'], [0, 2]),
    iSAIDDataset=(files.isaid, True, iSAIDDataset.METAINFO['classes'], [1, 14]),
    CrowdHumanDataset=(files.crowdhuman, False, ('person', ), [0, 0]),
    XMLDataset=(files.xml, False, NAMES, [0, 1]),
    VOCDataset=(files.voc, False, VOCDataset.METAINFO['classes'], [11, 14]),
    OpenImagesDataset=(files.openimages, False, ('Animal', 'Dog', 'Car'), [1, 2]),
    CocoPanopticDataset=(files.panoptic, True, CocoPanopticDataset.METAINFO['thing_classes'], [2, 0]),
    CocoPanopticDataset_stuff=(panoptic_to_train, True, CocoPanopticDataset.METAINFO['classes'], [2, 0, 100]),
    ODVGDataset_OD=(files.odvg_boxes, False, NAMES, [0, 1]),
    ODVGDataset_VG=(files.odvg_phrases, False, NAMES, [0, 1]),
    Flickr30kDataset=(files.flickr30k, False, NAMES, [0, 1]),
    RefCocoDataset=(files.refcoco, True, ('the star on the left', ), [0]),
    DODDataset=(dod_to_train, False, files.SENTENCES, [0, 1]),
    ConcatDataset=(concatenated, True, NAMES, [0, 1]),
    RepeatDataset=(repeated, True, NAMES, [0, 1]),
    ClassBalancedDataset=(balanced, True, NAMES, [0, 1]),
    CopyPaste=(mixed(dict(type='CopyPaste'), masks=True), True, NAMES, None),
    Mosaic=(mixed(dict(type='Mosaic', img_scale=SIZE[::-1])), False, NAMES, None),
    MixUp=(mixed(dict(type='MixUp', img_scale=SIZE[::-1])), False, NAMES, None))


@pytest.mark.parametrize('cell', CELLS)
def test_one_step_and_one_tested_picture(cell, tmp_path, model):
    config, has_masks, names, labels = CELLS[cell]
    dataset = DATASETS.build(config(tmp_path))
    np.random.seed(0)
    torch.manual_seed(0)
    items = [dataset[0], dataset[len(dataset) - 1]]
    assert all(len(item['data_samples'].gt_instances) for item in items)
    model.train()
    data = model.data_preprocessor(pseudo_collate(items), True)
    trained = data['data_samples'][0]
    named = [trained.text[label] for label in trained.gt_instances.labels.tolist()]
    assert labels is None or named == [names[label] for label in labels]
    losses = model.loss(data['inputs'], data['data_samples'])
    total, terms = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total) and terms['loss_cls'] > 0 and terms['loss_bbox'] > 0
    assert (terms['loss_mask'] > 0) == has_masks
    model.zero_grad()
    model.eval()
    with torch.no_grad():
        sample = model.test_step(pseudo_collate([dataset[0]]))[0]
    assert sample.text == (files.CAPTIONS[0] if sample.get('tokens_positive') else names)
    found = sample.pred_instances
    assert len(found) and 0 <= int(found.labels.min()) and int(found.labels.max()) < len(names)


def test_without_text_the_classes_of_training_are_tested_and_without_those_nothing(tmp_path, model):
    items = [DATASETS.build(dict(coco(tmp_path), return_classes=False))[0]]
    model.eval()
    with pytest.raises(KeyError, match='has no `text` and the model no dataset_meta'), torch.no_grad():
        model.test_step(pseudo_collate(items))
    model.dataset_meta = dict(classes=NAMES)
    with torch.no_grad():
        assert model.test_step(pseudo_collate(items))[0].text == NAMES
    with pytest.raises(KeyError, match='return_classes=True'):
        model.data_preprocessor(pseudo_collate(items), True)


def test_stuff_is_found_where_the_sample_names_it(tmp_path, model):
    model.eval()
    with torch.no_grad():
        sample = model.test_step(pseudo_collate([DATASETS.build(files.panoptic(tmp_path))[0]]))[0]
    assert sample.stuff_text == CocoPanopticDataset.METAINFO['stuff_classes']
    assert sample.pred_panoptic_seg.sem_seg.shape == sample.pred_sem_seg.sem_seg.shape == (1, *SIZE)


def test_objects_without_labels_need_a_sentence_each(tmp_path, model):
    dataset = DATASETS.build(files.refcoco(tmp_path))
    item = dataset[0]
    item['data_samples'].set_metainfo(dict(text=['the star', 'the ring']))
    with pytest.raises(ValueError, match='its 1 objects have no labels.*`text` has 2'):
        model.data_preprocessor(pseudo_collate([item]), True)
    whole = model.data_preprocessor(pseudo_collate([dataset[0]]), True)['data_samples'][0]
    assert whole.text_mode == 'expression' and whole.gt_instances.labels.tolist() == [0]
    x, y, width, height = files.BOXES[0]
    assert whole.gt_instances.bboxes.tolist() == [[x, y, x + width, y + height]]


def test_a_label_beyond_the_sentences_of_a_picture_is_named(tmp_path, model):
    model.train()
    data = model.data_preprocessor(pseudo_collate([DATASETS.build(files.dod(tmp_path))[1]]), True)
    with pytest.raises(ValueError, match=r'2\.jpg: label 2 is outside the 2 names of `text`'):
        model.loss(data['inputs'], data['data_samples'])


def test_supervision_that_is_not_there_is_named(tmp_path, model):
    """SetSource says masks unless it is told otherwise, which only a packing of ours hands on."""
    config = files.crowdhuman(tmp_path)
    config['pipeline'][-1] = dict(type='PackGLEEInputs')
    model.train()
    data = model.data_preprocessor(pseudo_collate([DATASETS.build(config)[0]]), True)
    with pytest.raises(ValueError, match=r"'crowdhuman', image .*says \['mask'\] but its objects have no \['masks'\]"):
        model.loss(data['inputs'], data['data_samples'])

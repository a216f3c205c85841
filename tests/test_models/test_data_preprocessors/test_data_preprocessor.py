"""Preprocessor: the picture as stock, the vocabulary of the batch."""
import numpy as np
import pytest
import torch
from logs import captured_log
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

from projects.glee.models.data_preprocessors import GLEEDataPreprocessor
from projects.glee.models.losses import DynamicLossSelector

NAMES = tuple(f'name {i}' for i in range(250))


def preprocessor(size):
    return GLEEDataPreprocessor(batch_augments=[dict(type='BatchVocabulary', size=size)])


def sample(labels, text=NAMES, mode='category', size=(40, 50), source='lvis'):
    n = len(labels)
    masks = np.zeros((n, *size), dtype=np.uint8)
    for i in range(n):
        masks[i, i % size[0], :3] = 1
    instances = InstanceData(
        labels=torch.as_tensor(labels, dtype=torch.long), masks=BitmapMasks(masks, *size),
        bboxes=torch.arange(n).float()[:, None] + torch.tensor([0., 0., 1., 1.]))
    return DetDataSample(gt_instances=instances, metainfo=dict(
        text=text, text_mode=mode, source=source, img_path='pic.jpg', img_shape=size))


def batch(*samples):
    return dict(inputs=[torch.randint(0, 256, (3, *s.img_shape), dtype=torch.uint8)
                        for s in samples], data_samples=list(samples))


def test_pictures_and_masks_are_those_of_the_stock_preprocessor():
    data = batch(sample([0, 1], NAMES[:5]), sample([], NAMES[:5], size=(64, 30)))
    stock = DetDataPreprocessor(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                                bgr_to_rgb=True, pad_size_divisor=32, pad_mask=True)
    expected = stock(dict(inputs=data['inputs'], data_samples=[
        s.clone() for s in data['data_samples']]), training=True)
    got = GLEEDataPreprocessor()(data, training=True)
    assert torch.equal(got['inputs'], expected['inputs']) and got['inputs'].shape[-2:] == (64, 64)
    # zero after normalisation
    assert (got['inputs'][0, :, 40:] == 0).all() and (got['inputs'][1, :, :, 30:] == 0).all()
    assert [s.gt_instances.masks.masks.shape for s in got['data_samples']] == [
        (2, 64, 64), (0, 64, 64)]
    assert got['data_samples'][0].text == NAMES[:5]


def test_large_vocabularies_are_drawn_once_per_batch():
    model = GLEEDataPreprocessor()
    torch.manual_seed(0)
    seen = np.zeros(250)
    for _ in range(200):
        first, second = [[7, 240, 7], [99]]
        out = model(batch(sample(first), sample(second)), training=True)['data_samples']
        text = out[0].text
        assert text == out[1].text and len(text) == len(set(text)) == 100
        indices = [NAMES.index(name) for name in text]
        assert indices == sorted(indices)
        assert [text[i] for i in out[0].gt_instances.labels] == [NAMES[i] for i in first]
        assert [text[i] for i in out[1].gt_instances.labels] == [NAMES[i] for i in second]
        seen[indices] += 1
    positives = [7, 99, 240]
    assert (seen[positives] == 200).all()
    # every other name is a negative with probability 97 / 247
    rate = np.delete(seen, positives) / 200
    assert abs(rate.mean() - 97 / 247) < 1e-9 and 0.2 < rate.min() and rate.max() < 0.6


def test_draw_is_repeatable_and_uses_torch_only():
    texts = []
    for numpy_seed in (0, 1):
        np.random.seed(numpy_seed)
        torch.manual_seed(5)
        out = GLEEDataPreprocessor()(batch(sample([3])), training=True)['data_samples']
        texts.append(out[0].text)
    assert texts[0] == texts[1]


def test_more_positives_than_room():
    model = preprocessor(6)
    torch.manual_seed(1)
    first, second = list(range(0, 20, 2)), list(range(10, 24, 2))
    with captured_log() as messages:
        out = model(batch(sample(first), sample(second)), training=True)['data_samples']
    text = out[0].text
    assert len(text) == 6 and set(text) <= {NAMES[i] for i in {*first, *second}}
    left = 0
    for got, labels in zip(out, (first, second)):
        kept = [i for i, label in enumerate(labels) if NAMES[label] in text]
        left += len(labels) - len(kept)
        instances = got.gt_instances
        assert [text[i] for i in instances.labels] == [NAMES[labels[i]] for i in kept]
        # boxes and masks left with their objects
        assert instances.bboxes[:, 0].tolist() == kept
        assert instances.masks.masks.any(2).argmax(1).tolist() == kept
    assert model.batch_augments[0].dropped_objects == left > 0
    assert len(messages) == 1 and 'more than 6 positive names' in messages[0]
    with captured_log() as messages:
        model(batch(sample(range(0, 40, 2))), training=True)
    assert model.batch_augments[0].dropped_objects == left + 14 and not messages  # told once


def test_an_image_may_lose_every_object():
    model = preprocessor(1)
    torch.manual_seed(0)
    out = model(batch(sample([1]), sample([2])), training=True)['data_samples']
    assert sorted(len(s.gt_instances) for s in out) == [0, 1]
    assert sorted(len(s.gt_instances.masks) for s in out) == [0, 1]


def test_expressions_small_vocabularies_and_tests_keep_their_text():
    model = preprocessor(2)
    pair = [sample([0], (f'the {i}', ), 'expression') for i in range(2)]
    out = model(batch(*pair), training=True)['data_samples']
    assert [s.text for s in out] == [('the 0', ), ('the 1', )]
    many = tuple(f'sentence {i}' for i in range(9))
    out = model(batch(sample(range(9), many, 'expression')), training=False)['data_samples']
    assert out[0].text == many
    assert model(batch(sample([0], NAMES)), training=False)['data_samples'][0].text == NAMES


def test_bad_samples_are_named():
    model = GLEEDataPreprocessor()
    selector = DynamicLossSelector()
    for labels, bad in (([0, 5], 5), ([-1], -1)):
        with pytest.raises(ValueError, match=rf"'lvis', image pic.jpg: label {bad} is outside the 5 names"):
            selector(model(batch(sample(labels, NAMES[:5])), training=True)['data_samples'])
    for text in ((), ('a', ' ')):
        for training in (True, False):
            with pytest.raises(ValueError, match="'lvis', image pic.jpg: `text` is empty"):
                model(batch(sample([0], text)), training=training)
    with pytest.raises(ValueError, match="'lvis' and 'coco' differ"):
        model(batch(sample([0]), sample([0], NAMES[:9], source='coco')), training=True)
    with pytest.raises(ValueError, match='differ'):
        model(batch(sample([0], ('a', ), 'expression'), sample([0], ('a', ))), training=True)
    nameless = sample([0])
    del nameless.text
    with pytest.raises(KeyError, match='no `text`'):
        model(batch(nameless), training=True)


@pytest.mark.parametrize('labels', [[3, 250], [250], [-1, 3], [999]])
def test_a_label_of_no_name_stays_one_when_the_vocabulary_is_drawn(labels):
    """So that the loss names it, and no other object takes its place."""
    bad = next(label for label in labels if not 0 <= label < 250)
    out = preprocessor(100)(batch(sample(labels)), training=True)['data_samples']
    assert len(out[0].text) == 100 and len(out[0].gt_instances) == len(labels)
    with pytest.raises(ValueError, match=f'label {bad} is outside the 100 names'):
        DynamicLossSelector()(out)


def test_a_label_of_no_phrase_stays_one_when_phrases_are_joined():
    """The label 2 of two phrases must not mean a phrase of the other image."""
    pair = [sample([2], ('a star', 'a ring')), sample([0], ('a cat', 'a dog'))]
    out = preprocessor(100)(batch(*pair), training=True)['data_samples']
    assert len(out[0].text) == 4
    with pytest.raises(ValueError, match='is outside the 4 names'):
        DynamicLossSelector()(out)


def test_a_part_of_the_names_alone_is_asked_for():
    """Each name is left out about as often, one at least stays, and labels mean the names they meant."""
    model = GLEEDataPreprocessor(batch_augments=[dict(type='BatchVocabulary', part_prob=0.5)])
    names = ('RBC', 'WBC', 'platelet')
    torch.manual_seed(0)
    texts = []
    with captured_log() as messages:
        for _ in range(600):
            out = model(batch(sample([0, 2, 2], names), sample([1], names)), training=True)['data_samples']
            texts.append(out[0].text)
            assert out[1].text == out[0].text
            meant = [[s.text[label] for label in s.gt_instances.labels] for s in out]
            assert meant == [[name for name in ('RBC', 'platelet', 'platelet') if name in out[0].text],
                             [name for name in ('WBC', ) if name in out[0].text]]
    whole = sum(text == names for text in texts)
    assert 250 < whole < 350 and not messages
    # a part has one or two of the three names, equally often: 1.5 of 3 on average
    shares = [sum(name in text for text in texts if text != names) / (600 - whole) for name in names]
    assert shares == pytest.approx([0.5] * 3, abs=0.1) and min(map(len, texts)) == 1


def test_a_part_of_many_names_has_no_preference():
    """Where the part is larger than the vocabulary, late names stay as often as early ones."""
    model = GLEEDataPreprocessor(batch_augments=[dict(type='BatchVocabulary', size=4, part_prob=1.)])
    names = tuple(f'name {number}' for number in range(40))
    torch.manual_seed(0)
    kept = []
    for _ in range(400):
        text = model(batch(sample([], names)), training=True)['data_samples'][0].text
        assert 1 <= len(text) <= 4
        kept += [names.index(name) for name in text]
    assert np.mean(kept) == pytest.approx(19.5, abs=1.5)

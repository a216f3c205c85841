"""Mixture: how often each image is drawn, how batches are formed, what a draw depends on."""
import itertools
import random

import numpy as np
import pytest
import torch
from image_files import write_coco
from pipelines import category_pipeline
from torch.utils.data import DataLoader

from projects.glee.datasets import Draw, MixtureDataset
from projects.glee.datasets.image import TextCocoDataset
from projects.glee.datasets.samplers import MixtureBatchSampler, MixtureSampler


class Source:
    """A list of (width, height, category ids)."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def get_cat_ids(self, index):
        return self.items[index][2]


class Mixture:
    """What the samplers need of a mixture, without pictures."""

    def __init__(self, *sources):
        self.datasets = [Source(source) for source in sources]
        self.items = list(itertools.chain(*sources))
        self.ends = np.cumsum([len(source) for source in sources])
        self.looked_up = 0

    def __len__(self):
        return len(self.items)

    def get_data_info(self, index):
        self.looked_up += 1
        return dict(width=self.items[index][0], height=self.items[index][1])

    def get_dataset_source(self, index):
        return int(np.searchsorted(self.ends, index, side='right'))


WIDE, TALL, SQUARE = (20, 10), (10, 20), (10, 10)


def mixture():
    return Mixture([(*WIDE, [0])] * 3, [(*TALL, [0]), (*WIDE, [1])] * 20, [(*SQUARE, [0])] * 7)


def take(iterable, count):
    return list(itertools.islice(iterable, count))


def test_frequencies_follow_the_weight_formula():
    dataset, ratios = mixture(), (1.0, 2.5, 0.5)
    counts = np.bincount(take(MixtureSampler(dataset, ratios, seed=3), 10000), minlength=50)
    sizes = np.array([3, 40, 7])
    weights = np.concatenate([  # (max size / size) * ratio / sum of ratios, per image
        np.full(s, sizes.max() / s * r / sum(ratios)) for s, r in zip(sizes, ratios)])
    expected = weights / weights.sum()
    assert np.abs(counts / 10000 - expected).max() < 0.02
    per_source = np.add.reduceat(counts, [0, 3, 43]) / 10000
    assert np.abs(per_source - np.array(ratios) / 4).max() < 0.02
    inside = counts[:3] / counts[:3].sum()
    assert np.abs(inside - 1 / 3).max() < 0.02


def test_repeat_factors_favour_rare_categories_at_unchanged_ratios():
    # category 1 is on 1 of 10 images: r = sqrt(0.4 / 0.1) = 2; category 0 on 9: r = 1
    source = [(*WIDE, [0])] * 9 + [(*WIDE, [1, 1])]
    dataset = Mixture(source, source)
    draws = take(MixtureSampler(dataset, (1, 1), repeat_thrs=(0.4, 0), seed=0), 10000)
    counts = np.bincount(draws, minlength=20) / 10000
    assert abs(counts[9] - 0.5 * 2 / 11) < 0.01
    assert np.abs(counts[:9] - 0.5 / 11).max() < 0.01
    assert np.abs(counts[10:] - 0.05).max() < 0.01


def test_a_share_of_the_images_is_drawn_at_unchanged_ratios():
    """Rounded up in each source, whatever the seed; less is a part of more; rare categories are still favoured."""
    dataset, drawn = mixture(), {}
    for share in (0.1, 0.2, 0.5, 1.0):
        counts = np.bincount(take(MixtureSampler(dataset, (1.0, 2.5, 0.5), seed=3, share=share), 10000), minlength=50)
        drawn[share] = set(np.flatnonzero(counts))
        assert [sum(low <= index < high for index in drawn[share]) for low, high in ((0, 3), (3, 43), (43, 50))] == [
            int(np.ceil(share * size)) for size in (3, 40, 7)]
        assert np.abs(np.add.reduceat(counts, [0, 3, 43]) / 10000 - np.array([1.0, 2.5, 0.5]) / 4).max() < 0.02
    assert drawn[0.1] < drawn[0.2] < drawn[0.5] < drawn[1.0]
    assert drawn[0.1] == set(take(MixtureSampler(dataset, (1.0, 2.5, 0.5), seed=9, share=0.1), 5000))
    source = [(*WIDE, [0])] * 18 + [(*WIDE, [1])] * 2
    counts = np.bincount(take(MixtureSampler(Mixture(source), repeat_thrs=(0.4, ), seed=0, share=0.99), 10000))
    assert abs(counts[18:].sum() / 10000 - 4 / 22) < 0.01
    for share in (0, 1.1):
        with pytest.raises(ValueError, match=f'`share` must be above 0 and at most 1, got {share}'):
            MixtureSampler(dataset, (1, 1, 1), share=share)


def test_two_ranks_stripe_one_stream(monkeypatch):
    whole = take(MixtureSampler(mixture(), (1, 1, 1), seed=5), 9000)
    for rank in range(2):
        monkeypatch.setattr(
            'projects.glee.datasets.samplers.mixture_sampler.get_dist_info', lambda: (rank, 2))
        part = take(MixtureSampler(mixture(), (1, 1, 1), seed=5), 4500)
        assert part == whole[rank::2]
        assert [d.number for d in part] == list(range(rank, 9000, 2))


def test_seed_decides_and_skip_continues():
    stream = take(MixtureSampler(mixture(), (1, 1, 1), seed=5), 6000)
    assert stream == take(MixtureSampler(mixture(), (1, 1, 1), seed=5), 6000)
    assert stream != take(MixtureSampler(mixture(), (1, 1, 1), seed=6), 6000)
    resumed = MixtureSampler(mixture(), (1, 1, 1), seed=5)
    resumed.skip(4321)
    rest = take(resumed, 1000)
    assert rest == stream[4321:5321]
    assert [d.number for d in rest] == [d.number for d in stream[4321:5321]]


def test_batches_are_homogeneous_and_resume_by_index():
    sizes = (2, 3, 4)
    dataset = mixture()
    batches = take(MixtureBatchSampler(MixtureSampler(dataset, (1, 1, 1), seed=1), sizes), 600)
    assert dataset.looked_up <= len(dataset)  # once per image, however often it is drawn
    seen = set()
    for batch in batches:
        sources = {dataset.get_dataset_source(i) for i in batch}
        wide = {dataset.items[i][0] > dataset.items[i][1] for i in batch}
        assert len(sources) == len(wide) == 1
        source = sources.pop()
        assert len(batch) == sizes[source]
        seen.add((source, wide.pop()))
    # a square is not wider than high
    assert seen == {(0, True), (1, True), (1, False), (2, False)}
    # nothing is lost on the way into batches: all but what is still in the buckets comes out
    numbers = sorted(draw.number for batch in batches for draw in batch)
    assert len(set(numbers)) == len(numbers)
    assert numbers[:1500] == list(range(1500)) or len(
        set(range(numbers[-1])) - set(numbers)) <= sum(2 * (s - 1) for s in sizes)
    resumed = MixtureBatchSampler(MixtureSampler(mixture(), (1, 1, 1), seed=1), sizes)
    resumed.skip(250)
    assert take(resumed, 100) == batches[250:350]


def test_bad_settings_are_named():
    for ratios in ((1, 1), (1, -1, 1), (0, 0, 0)):
        with pytest.raises(ValueError, match='ratios'):
            MixtureSampler(mixture(), ratios, seed=0)
    with pytest.raises(ValueError, match='no image'):
        MixtureSampler(Mixture([(*WIDE, [])], []), (1, 1), seed=0)
    for size in (0, (1, 2), (1, 1, 0)):
        with pytest.raises(ValueError, match='batch_size'):
            MixtureBatchSampler(MixtureSampler(mixture(), (1, 1, 1), seed=0), size)

    class NoSize(Mixture):
        def get_data_info(self, index):
            return dict(img_path='a.jpg')

    sampler = MixtureSampler(NoSize([(*WIDE, [])]), (1, ), seed=0)
    with pytest.raises(KeyError, match='a.jpg'):
        next(iter(MixtureBatchSampler(sampler, 1)))


def tiny_mixture(root):
    boxes = [[(0, (2, 3, 30, 30)), (1, (30, 5, 20, 20))]] * 6
    flip = dict(type='RandomFlip', prob=0.5)
    crop = dict(type='CropWindow', crop_size=(20, 40))
    sources = []
    for name in ('a', 'b'):
        write_coco(root / name, ('star', 'ring'), boxes)
        sources.append(dict(
            type='TextCocoDataset', data_root=str(root / name),
            ann_file='annotations/instances_train2017.json', data_prefix=dict(img='train2017/'),
            pipeline=category_pipeline(flip, crop)))
    sources[1]['metainfo'] = dict(classes=('star', ))
    return MixtureDataset(sources)


def same(a, b):
    return torch.equal(a['inputs'], b['inputs']) and torch.equal(
        a['data_samples'].gt_instances.bboxes.tensor, b['data_samples'].gt_instances.bboxes.tensor)


def test_a_sample_is_a_function_of_seed_and_draw_number(tmp_path):
    dataset = tiny_mixture(tmp_path)
    assert [source.metainfo['classes'] for source in dataset.datasets] == [('star', 'ring'), ('star', )]
    assert dataset.metainfo == dict(classes=('star', 'ring'))
    first = dataset[Draw.make(3, number=17, seed=2)]
    np.random.seed(0), torch.manual_seed(0), random.seed(0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state(), random.getstate()
    assert same(first, dataset[Draw.make(3, number=17, seed=2)])
    after = np.random.get_state()[1], torch.get_rng_state(), random.getstate()
    assert (before[0] == after[0]).all() and torch.equal(before[1], after[1])
    assert before[2] == after[2]
    others = [dataset[Draw.make(3, number=n, seed=s)] for n, s in ((18, 2), (17, 3), (19, 2))]
    assert not all(same(first, other) for other in others)
    assert dataset[7]['data_samples'].text == ('star', )  # plain integers work


@pytest.mark.parametrize('workers', [0, 2])
def test_workers_do_not_change_the_data(tmp_path, workers):
    dataset = tiny_mixture(tmp_path)
    batch_sampler = MixtureBatchSampler(MixtureSampler(dataset, (1, 2), seed=4), 2)
    batch_sampler.skip(3)
    loader = DataLoader(dataset, batch_sampler=batch_sampler, num_workers=workers,
                        collate_fn=list)
    got = take(loader, 6)
    again = MixtureBatchSampler(MixtureSampler(dataset, (1, 2), seed=4), 2)
    for batch, draws in zip(got, take(again, 9)[3:], strict=True):
        assert all(same(a, dataset[draw]) for a, draw in zip(batch, draws, strict=True))
        assert len({sample['data_samples'].text for sample in batch}) == 1


def test_stock_sampler_and_plain_dataset_fit_together(tmp_path):
    root = write_coco(tmp_path, ('star', ), [[(0, (2, 3, 30, 30))]] * 4)
    dataset = TextCocoDataset(
        data_root=str(root), ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'), pipeline=category_pipeline())
    batches = take(MixtureBatchSampler(MixtureSampler(dataset, seed=0), 2), 3)
    assert all(dataset[i]['data_samples'].text == ('star', ) for batch in batches for i in batch)

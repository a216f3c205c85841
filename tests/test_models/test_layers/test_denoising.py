"""Denoising queries against the released model's and against their definition."""
import numpy as np
import pytest
import torch
from criterion_inputs import R, golden_targets
from goldens import load_golden
from mmdet.registry import MODELS
from mmengine.structures import InstanceData

from projects.glee.models.layers import DenoisingGenerator


def target(count, label=0):
    """Objects of half the image in its middle."""
    return InstanceData(
        labels=torch.full((count, ), label), boxes=torch.full((count, 4), .5))


@pytest.fixture
def golden():
    arrays, meta = load_golden('dn_3_5')
    generator = DenoisingGenerator(noise_scale=meta['noise_scale'], label_flip=meta['noise_scale'] / 2,
                                   num_queries_dn=meta['dn_num'])
    table = R.weight('predictor.coco_label_enc.weight', (80, 256))
    generator.label_tables['coco'].weight.data = torch.from_numpy(table)
    targets = golden_targets(meta['tag'], meta['counts'], meta['ncls'])
    return arrays, generator(targets, meta['ncls'], 'coco', meta['num_queries'])


def test_queries_equal_the_released_model(golden):
    arrays, queries = golden
    assert queries.num_groups == arrays['scalar']
    assert queries.num_groups * queries.group_size == arrays['pad_size']
    content = queries.content.detach().numpy()
    np.testing.assert_allclose(R.digest(content), arrays['query_label'], atol=1e-6)
    np.testing.assert_allclose(
        np.linalg.norm(content, axis=-1), arrays['query_label_rownorm'], rtol=1e-5)
    np.testing.assert_allclose(
        queries.boxes_unsigmoid, arrays['query_bbox_unsigmoid'], rtol=1e-5, atol=1e-6)


def test_attention_mask_equals_the_released_model(golden):
    arrays, queries = golden
    side = arrays['attn_mask_shape'][0]
    expected = np.unpackbits(arrays['attn_mask_packed'])[:side * side].reshape(side, side)
    np.testing.assert_array_equal(queries.attn_mask.numpy(), expected.astype(bool))


def test_slots_and_objects_equal_the_released_model(golden):
    arrays, queries = golden
    first = 0
    for image, (slots, objects) in enumerate(queries.matches):
        count = int((arrays['batch_idx'] == image).sum())
        rows = arrays['batch_idx'][arrays['known_indice']] == image
        np.testing.assert_array_equal(slots, arrays['map_known_indice'][rows])
        np.testing.assert_array_equal(objects, arrays['known_indice'][rows] - first)
        first += count


def test_empty_slots_are_zero():
    queries = DenoisingGenerator(dict(one=3), embed_dims=4)([target(1), target(3)], 3, 'one', 6)
    assert queries.content.shape == (2, 99, 4)
    empty = torch.arange(99) % 3 > 0
    assert not queries.content[0, empty].any() and not queries.boxes_unsigmoid[0, empty].any()
    assert queries.content[0, ~empty].any(-1).all() and queries.content[1].any(-1).all()


def test_an_image_without_object_has_no_slot():
    queries = DenoisingGenerator(dict(one=3), embed_dims=4)([target(0), target(2)], 3, 'one', 6)
    assert not queries.content[0].any()
    assert [len(slots) for slots, _ in queries.matches] == [0, 100]


@pytest.mark.parametrize('counts, groups', [((0, 0), None), ((101, 1), None), ((100, 1), 1),
                                            ((51, 2), 1), ((50, 2), 2), ((0, 1), 100)])
def test_number_of_groups(counts, groups):
    queries = DenoisingGenerator(dict(one=3), embed_dims=4)(
        [target(count) for count in counts], 3, 'one', 6)
    assert (queries and queries.num_groups) == groups


def test_noise_stays_within_its_bounds_and_fills_them():
    torch.manual_seed(0)
    generator = DenoisingGenerator(dict(one=10), embed_dims=4, num_queries_dn=4000)
    # the rows of the table are recognisable
    generator.label_tables['one'].weight.data = torch.arange(10.)[:, None].repeat(1, 4)
    truth = InstanceData(labels=torch.tensor([7]), boxes=torch.tensor([[.5, .4, .2, .3]]))
    queries = generator([truth], 10, 'one', 6)
    shift = queries.boxes_unsigmoid.sigmoid()[0] - truth.boxes
    # centre by 0.4 of half a side, sides by 0.4 of a side
    reach = .4 * torch.tensor([.1, .15, .2, .3])
    assert (shift.abs() <= reach + 1e-6).all()
    torch.testing.assert_close(shift.amax(0), reach, rtol=.01, atol=0)
    torch.testing.assert_close(shift.amin(0), -reach, rtol=.01, atol=0)
    rows = queries.content[0, :, 0].detach()
    # a flip, p = 0.2, keeps the label with p = 0.1
    assert (rows != 7).float().mean() == pytest.approx(.18, abs=.02)
    assert sorted(rows.unique().tolist()) == list(range(10))


def test_noised_boxes_are_clamped_before_the_inverse_sigmoid():
    truth = InstanceData(labels=torch.zeros(1).long(), boxes=torch.tensor([[0., 1., 1., 1.]]))
    queries = DenoisingGenerator(dict(one=1), embed_dims=4)([truth], 1, 'one', 6)
    # log((1 - 1e-5) / 1e-5)
    assert queries.boxes_unsigmoid.abs().max() == pytest.approx(11.5129, abs=1e-3)


def test_flips_are_drawn_from_the_vocabulary_not_the_table():
    torch.manual_seed(0)
    generator = DenoisingGenerator(dict(one=50), embed_dims=1, label_flip=1.)
    generator.label_tables['one'].weight.data = torch.arange(50.)[:, None]
    rows = generator([target(1)], 3, 'one', 6).content.detach()
    assert sorted(rows.unique().tolist()) == [0, 1, 2]


def test_idle_tables_stay_in_the_graph_with_zero_gradient():
    generator = DenoisingGenerator(dict(one=3, other=5), embed_dims=4, label_flip=0.)
    generator([target(2, label=1)], 3, 'one', 6).content.sum().backward()
    grad = generator.label_tables['one'].weight.grad
    assert grad[1].eq(100).all() and not grad[[0, 2]].any()
    assert generator.label_tables['other'].weight.grad.eq(0).all()


def test_released_tables_are_the_default():
    torch.manual_seed(0)
    generator = MODELS.build(dict(type='DenoisingGenerator'))
    shapes = {name: tuple(table.weight.shape) for name, table in generator.label_tables.items()}
    assert shapes == dict(
        coco=(80, 256), obj365=(100, 256), vg=(200, 256), object=(1, 256), ytvis19=(40, 256),
        ytvis21=(40, 256), ovis=(25, 256), uvo=(81, 256), bdd_det=(10, 256), bdd_inst=(8, 256))
    weight = generator.label_tables['vg'].weight.detach()
    assert weight.mean().abs() < .02 and weight.std() == pytest.approx(1, abs=.02)


def test_the_only_table_needs_no_name():
    generator = DenoisingGenerator(dict(one=3), embed_dims=4)
    assert generator([target(1)], 3, None, 6) is not None


def test_without_a_name_the_first_table_with_a_row_for_each_name_serves():
    generator = DenoisingGenerator(dict(one=2, two=4, three=4), embed_dims=4, label_flip=0.)
    generator.label_tables['two'].weight.data = torch.arange(4.)[:, None].repeat(1, 4) + 7
    label = target(1).labels[0]
    assert (generator([target(1)], 3, None, 6).content == 7. + label).any()


@pytest.mark.parametrize('num_names, table, message', [
    (3, 'lvis', "label_table 'lvis' is not among.*'one', 'two'"),
    (5, None, "label table 'one' has 4 rows.*5 names"),
    (5, 'one', "label table 'one' has 4 rows.*5 names"),
])
def test_errors_name_the_table(num_names, table, message):
    generator = DenoisingGenerator(dict(one=4, two=4), embed_dims=4)
    with pytest.raises(ValueError, match=message):
        generator([target(2)], num_names, table, 6)

"""Prompt batches in training: when, of which object, and what they train."""
import copy

import numpy as np
import pytest
import torch
from mini_model import SIZE, build, category_sample, expression_sample, images, mini_config
from mmengine.structures import InstanceData

from projects.glee.models.data_preprocessors import BatchPrompts, GLEEDataPreprocessor
from projects.glee.prompts import samplers as prompt_samplers


@pytest.fixture(scope='module')
def glee():
    config = mini_config()
    config.panoptic_head.prompter.template_size = 64
    return build(config)


def sample_with_prob(seed=0, prompt_prob=1., **meta):
    return category_sample(seed=seed, prompt_prob=prompt_prob, **meta)


def simulator(max_points=1, **kinds):
    return BatchPrompts(kinds, max_points=max_points)


def prompt(augment, samples):
    augment(torch.zeros(len(samples), 3, *SIZE), samples)


def prompted_samples(count=2, **kinds):
    samples = [sample_with_prob(seed) for seed in range(count)]
    prompt(simulator(**(kinds or dict(mask=1))), samples)
    return samples


def becomes_prompted(augment, *samples):
    samples = [copy.deepcopy(sample) for sample in samples]
    prompt(augment, samples)
    return all('prompts' in sample for sample in samples)


def test_one_object_is_kept_and_its_mask_prompted():
    torch.manual_seed(0)
    samples = [sample_with_prob(seed) for seed in range(4)]
    before = copy.deepcopy(samples)
    prompt(simulator(mask=1), samples)
    for sample, old in zip(samples, before):
        assert len(sample.gt_instances) == 1 and sample.text == old.text
        kept = sample.gt_instances
        which = (old.gt_instances.bboxes == kept.bboxes).all(1).nonzero().item()
        assert kept.labels.item() == old.gt_instances.labels[which]
        assert sample.prompts.kinds == ['mask'] and sample.prompts.masks.dtype == torch.bool
        assert (sample.prompts.masks[0].numpy() == kept.masks.masks[0]).all()
        assert not sample.prompts.neg_masks.any()


def test_box_and_point_prompts_of_the_padded_size():
    torch.manual_seed(1)
    for sample in prompted_samples(5, box=1):
        x1, y1, x2, y2 = sample.gt_instances.bboxes[0].int().tolist()
        expected = np.zeros(SIZE, bool)
        expected[y1:y2, x1:x2] = True
        assert (sample.prompts.masks[0].numpy() == expected).all()
    for sample in prompted_samples(5, point=1):
        ys, xs = sample.prompts.masks[0].nonzero(as_tuple=True)
        # SIZE // 40 is (1, 2): two rows and four columns, less at the border
        assert len(ys.unique()) <= 2 and len(xs.unique()) <= 4
        assert (sample.prompts.masks[0].numpy() & sample.gt_instances.masks.masks[0].astype(bool)).any()


@pytest.mark.parametrize('most', [1, 4, 20])
def test_a_point_prompt_has_up_to_so_many_clicks(monkeypatch, most):
    """Counts uniform in 1..most, each click on the object; other kinds do not ask for a number."""
    clicks = []

    def draw(shape, x, y):
        clicks[-1].append((int(y), int(x)))
        drawn = np.zeros(shape, bool)
        drawn[y, x] = True
        return drawn

    monkeypatch.setattr(prompt_samplers, 'point_mask', draw)
    torch.manual_seed(0)
    player = simulator(point=1, max_points=most)
    for _ in range(40 * most):
        samples = [sample_with_prob()]
        clicks.append([])
        prompt(player, samples)
        truth = samples[0].gt_instances.masks.masks[0].astype(bool)
        assert all(truth[click] for click in clicks[-1]) and len(set(clicks[-1])) == len(clicks[-1])
        assert samples[0].prompts.masks.sum() == len(clicks[-1]) and samples[0].prompts.kinds == ['point']
    counts = np.bincount([len(made) for made in clicks], minlength=most + 1)
    assert counts[0] == 0 and len(counts) == most + 1
    # 40 expected of each: within 4 standard deviations
    assert np.abs(counts[1:] - 40).max() <= 4 * np.sqrt(40)


def test_a_point_prompt_has_no_more_clicks_than_pixels(monkeypatch):
    sample = sample_with_prob(count=1)
    mask = sample.gt_instances.masks.masks[0]
    mask[:] = 0
    mask[5, 10:22] = 1  # twelve pixels, above the ten below which nothing is drawn
    calls = []
    monkeypatch.setattr(prompt_samplers, 'point_mask', lambda shape, x, y: calls.append(x) or np.ones(shape, bool))
    numbers = set()
    for seed in range(200):
        torch.manual_seed(seed)
        calls.clear()
        prompt(simulator(point=1, max_points=20), [copy.deepcopy(sample)])
        numbers.add(len(calls))
    assert numbers == set(range(1, 13))
    with pytest.raises(ValueError, match='max_points=0'):
        simulator(box=1, max_points=0)


def test_kinds_follow_their_weights():
    torch.manual_seed(0)
    draw = simulator(mask=0.6, box=0.08, point=0.32)
    kinds = []
    for _ in range(300):
        samples = [sample_with_prob()]
        prompt(draw, samples)
        kinds += samples[0].prompts.kinds
    for kind, share in dict(mask=0.6, box=0.08, point=0.32).items():
        assert kinds.count(kind) / 300 == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize('probability', [0., 0.2, 1.])
def test_batches_become_prompt_batches_with_the_probability_of_their_source(probability):
    torch.manual_seed(0)
    draw = simulator(mask=1)
    pair = [sample_with_prob(prompt_prob=probability)] * 2
    wanted = [becomes_prompted(draw, *pair) for _ in range(400)]
    assert np.mean(wanted) == pytest.approx(probability, abs=0.07)


def test_a_batch_with_an_empty_image_or_a_silent_source_stays():
    draw = simulator(mask=1)
    empty = sample_with_prob()
    empty.gt_instances = empty.gt_instances[:0]
    assert becomes_prompted(draw, sample_with_prob())
    assert not becomes_prompted(draw, sample_with_prob(), empty)
    assert not becomes_prompted(draw, category_sample())
    boxes = sample_with_prob()
    del boxes.gt_instances.masks
    assert not becomes_prompted(draw, boxes)


def raw_batch(samples, shape=(60, 90)):
    for sample in samples:
        sample.gt_instances.masks = sample.gt_instances.masks.crop(np.array([0, 0, shape[1], shape[0]]))
        sample.set_metainfo(dict(source='coco', batch_input_shape=None))
    return dict(inputs=[torch.zeros(3, *shape, dtype=torch.uint8) for _ in samples], data_samples=samples)


def test_the_preprocessor_makes_prompts_of_the_padded_batch():
    torch.manual_seed(0)
    samples = GLEEDataPreprocessor()(raw_batch([sample_with_prob(s) for s in range(2)]), True)['data_samples']
    for sample in samples:
        assert sample.batch_input_shape == SIZE and sample.prompts.masks.shape == (1, *SIZE)
        assert len(sample.gt_instances) == 1
    for training, probability in ((True, 0.), (False, 1.)):
        batch = raw_batch([sample_with_prob(prompt_prob=probability)])
        assert 'prompts' not in GLEEDataPreprocessor()(batch, training)['data_samples'][0]


def test_given_prompts_are_padded():
    sample = category_sample()
    masks = torch.rand(2, 60, 90) > 0.5
    sample.prompts = InstanceData(masks=masks, kinds=['mask', 'box'])
    sample = GLEEDataPreprocessor()(raw_batch([sample]), False)['data_samples'][0]
    assert torch.equal(sample.prompts.masks[:, :60, :90], masks) and sample.prompts.masks.shape == (2, *SIZE)
    assert sample.prompts.masks.sum() == masks.sum()
    sample = category_sample()
    sample.prompts = InstanceData(masks=masks[:, :50], kinds=['mask', 'box'])
    with pytest.raises(ValueError, match=r'prompts.masks are \(50, 90\) px but the resized image \(60, 90\)'):
        GLEEDataPreprocessor()(raw_batch([sample]), False)


def test_prompt_loss_trains_prompter_and_confidence(glee):
    glee.train()
    glee.zero_grad()
    torch.manual_seed(0)
    losses = glee(images(2), prompted_samples(), mode='loss')
    assert losses['loss_conf'] > 0 and losses['d0.loss_conf'] > 0 and losses['loss_cls'] > 0
    total, _ = glee.parse_losses(losses)
    total.backward()
    head = glee.panoptic_head
    for name, parameter in glee.named_parameters():
        assert parameter.grad is not None, f'{name} is not in the graph'
    for parameter in (head.confidence_head.layers[0].weight, head.prompter.template_convs[0].weight,
                      head.prompter.template_convs[2].bias, *head.prompter.point_embeds[:3]):
        assert parameter.grad.abs().sum() > 0
    assert not head.prompter.point_embeds[3].grad.any()  # the coarsest level is never used
    assert head.prompter.sign_embed.weight.grad[0].any() and not head.prompter.sign_embed.weight.grad[1].any()


def test_batches_without_prompts_leave_the_prompter_alone(glee):
    glee.train()
    glee.zero_grad()
    for samples in ([category_sample()], [expression_sample('a ring')]):
        total, _ = glee.parse_losses(glee(images(1), samples, mode='loss'))
        total.backward()
    for parameter in glee.panoptic_head.prompter.parameters():
        assert not parameter.grad.any()


def test_the_template_never_trains_the_backbone_or_its_statistics(glee):
    glee.train()
    samples = prompted_samples(1)
    feats, _, objects = glee._head_inputs(images(1), samples)
    assert feats[0].requires_grad and not any(feat.requires_grad for feat in objects.templates[0])
    norm = next(m for m in glee.backbone.modules() if isinstance(m, torch.nn.BatchNorm2d))
    before = norm.running_mean.clone()
    glee.extract_templates(images(1), objects)
    assert torch.equal(norm.running_mean, before) and norm.training and glee.backbone.training


def described(*texts, **fields):
    """An image whose objects are only described."""
    sample = category_sample()
    sample.prompts = InstanceData(masks=torch.zeros(len(texts), *SIZE, dtype=torch.bool), kinds=['mask'] * len(texts),
                                  texts=list(texts), **fields)
    return sample


def test_described_objects_train_like_expressions(glee):
    """The losses are those of an expression sample of the same object, beside the confidence's."""
    glee.train()
    head = glee.panoptic_head
    denoising, head.denoising = head.denoising, None
    sample = described('the red star', object_ids=torch.tensor([2]))
    expression = expression_sample('the red star')
    expression.gt_instances = sample.gt_instances[2:]
    expression.gt_instances.labels = torch.zeros(1, dtype=torch.long)
    losses = []
    for each in (sample, expression):
        torch.manual_seed(0)
        losses.append(glee(images(1), [each], mode='loss'))
    head.denoising = denoising
    for key, value in losses[1].items():
        if 'conf' in key:
            assert losses[0][key] > 0 == value
        elif key != 'loss_distill':  # of category batches
            torch.testing.assert_close(losses[0][key], value)
    sum(losses[0].values()).backward()
    assert all(parameter.grad is not None for parameter in glee.parameters() if parameter.requires_grad)


def test_described_objects_are_denoised_too(glee):
    """Two of them, each with its own text as its only name."""
    glee.train()
    losses = glee(images(1), [described('the red star', 'a ring', object_ids=torch.tensor([1, 0]))], mode='loss')
    assert any(key.startswith('dn.') for key in losses) and all(value.isfinite() for value in losses.values())


def test_objects_that_were_given_different_prompts_do_not_train_together(glee):
    glee.train()
    samples = [described('a ring'), prompted_samples(1)[0]]
    samples[0].gt_instances = samples[0].gt_instances[:1]
    with pytest.raises(ValueError, match='objects with the same prompts'):
        glee(images(2), samples, mode='loss')
    with pytest.raises(ValueError, match="disagree on 'prompts'"):
        glee(images(2), [category_sample(), samples[1]], mode='loss')


def test_several_objects_of_one_image_train_together(glee):
    """Prompts made in the pipeline: rows are objects, and the loss is that of the objects' own batch."""
    glee.eval()  # the same random pixels in both calls
    head = glee.panoptic_head
    denoising, head.denoising = head.denoising, None
    sample = category_sample()
    masks = sample.gt_instances.masks.to_tensor(torch.bool, 'cpu')
    sample.prompts = InstanceData(masks=masks[[2, 0]], kinds=['mask'] * 2, object_ids=torch.tensor([2, 0]))
    copies = [copy.deepcopy(sample) for _ in range(2)]
    for single, row, index in zip(copies, (0, 1), (2, 0)):
        single.prompts = sample.prompts[row:row + 1]
        single.prompts.object_ids = torch.tensor([index])
    torch.manual_seed(0)
    together = glee(images(1), [sample], mode='loss')
    torch.manual_seed(0)
    apart = glee(images(1).expand(2, -1, -1, -1), copies, mode='loss')
    head.denoising = denoising
    for name, value in together.items():
        assert value.item() == pytest.approx(apart[name].item(), rel=1e-4, abs=1e-5), name


def test_a_head_without_prompter_refuses(glee):
    config = mini_config()
    config.panoptic_head.prompter = None
    model = build(config)
    assert model.panoptic_head.prompter is None
    with pytest.raises(ValueError, match='panoptic_head.prompter'):
        model(images(1), prompted_samples(1), mode='loss')
    total, _ = model.parse_losses(model(images(1), [category_sample()], mode='loss'))
    assert torch.isfinite(total)

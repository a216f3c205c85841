"""The recipe of videos (G1, G7): tokens of a frame, parts of the loss, and how often a data set is drawn."""
import numpy as np
import pytest
import torch
from mmengine.config import Config
from paths import CONFIGS
from toy_llm import COLOURS, load_llm
from toy_video_llm import FILM, toy_video

from projects.glee.datasets.samplers import MixtureSampler
from projects.glee.llm.adapters.llava import pool_tokens
from projects.glee.llm.data.ask_picture import pack
from projects.glee.llm.dialogue import tokenize
from projects.glee.llm.losses import mask_bce, mask_dice
from projects.glee.llm.video.contrastive import ObjectContrastiveLoss, SaidObject
from projects.glee.llm.video.frame_reasoner import frame_turns


def test_a_frame_has_64_tokens_of_its_picture_whatever_the_tower():
    grid = torch.arange(24 * 24.)[:, None]  # CLIP of 336 px: a token is its number
    by_place = pool_tokens(grid, 8, '2d')
    assert by_place.shape == (64, 1)
    assert float(by_place[9]) == np.arange(576).reshape(24, 24)[3:6, 3:6].mean()
    in_order = pool_tokens(torch.arange(256.)[:, None], 8, '1d')  # GLUS: runs of four
    assert in_order[:, 0].tolist() == [4 * run + 1.5 for run in range(64)]
    assert pool_tokens(torch.rand(256, 3), 8, '2d').shape == (64, 3)


def test_tokens_of_a_dialogue_of_eight_frames():
    model = toy_video()
    turns = frame_turns('red ?', 4, 4, ['[SEG]'] * 4)
    tokens = tokenize(model.language_model, turns, [64] * 8, 32)
    assert int((tokens.ids == model.language_model.image_id).sum()) == 8 * 64
    assert int((tokens.ids == model.language_model.object_id).sum()) == 8 * 32
    assert len(tokens.ids) < 1000 and tokens.pictures == tokens.objects == tuple(range(8))


def test_one_loss_is_its_four_parts():
    model = toy_video(contrastive=dict(min_negatives=1, negatives=4, weight=0.1))
    samples = []
    for number, colour in enumerate(('red', 'blue', 'red')):
        masks = [(frame == COLOURS[colour]).all(-1) for frame in FILM[2:4]]
        said = [SaidObject('toy', 0, number, frame, frozenset([colour])) for frame in (2, 3)]
        samples.append(pack(FILM[:4], frame_turns(f'{colour} ?', 2, 2, ['it is [SEG]'] * 2), masks, [2, 3],
                            said=said)['data_samples'])
    inputs = [FILM[:4]] * 3
    with torch.no_grad():
        losses = model(inputs, samples, 'loss')
        taught = model._taught(inputs, samples)
        logits = [mask for masks in model(inputs, samples) for mask in masks]
    targets = [torch.from_numpy(mask) for sample in samples for mask in sample.gt_masks]
    assert set(losses) == {'loss_text', 'loss_bce', 'loss_dice', 'loss_contrastive'}
    assert float(losses['loss_bce']) == pytest.approx(2 * float(mask_bce(logits, targets)), rel=1e-5)
    assert float(losses['loss_dice']) == pytest.approx(0.5 * float(mask_dice(logits, targets)), rel=1e-5)
    seg, total = model.language_model.seg_id, 0.
    for one in taught:  # cross-entropy of [SEG] alone
        for place in (one.tokens.ids == seg).nonzero()[:, 0]:
            total -= float(model.language_model.logits(one.states[place - 1]).log_softmax(-1)[seg].detach())
    assert float(losses['loss_text']) == pytest.approx(total / 6, rel=1e-4)
    embeds = torch.cat([one.embeds for one in taught])
    alone = ObjectContrastiveLoss(min_negatives=1, negatives=4, weight=0.1)
    sources = [one for sample in samples for one in sample.said]
    assert float(losses['loss_contrastive']) == pytest.approx(float(alone(embeds, sources).detach()), rel=1e-4) != 0


@pytest.mark.parametrize('path', sorted((CONFIGS / 'llm').glob('*.py')), ids=lambda path: path.stem)
def test_several_gpus_are_told_that_a_batch_does_not_use_all(path):
    """Without masks, without [SCORE] or without a gap in the objects some weights get no gradient, which stops DDP."""
    assert Config.fromfile(path).find_unused_parameters
    model = toy_video()
    sample = pack(FILM[:2], frame_turns('red ?', 1, 1, ['it is [SEG]']), [FILM[1][..., 0] > 200], [1])['data_samples']
    sum(model.train()([FILM[:2]], [sample], 'loss').values()).backward()
    unused = {name.split('.')[0] for name, one in model.named_parameters() if one.requires_grad and one.grad is None}
    assert unused == {'score_head', 'memory'}


@pytest.mark.parametrize('name, ratios', [
    ('glee_swin-l_llava-7b_video', [1, 1]), ('glee_swin-l_llava-7b_video-mix', [40, 150, 4, 30, 30])])
def test_data_sets_are_drawn_as_often_as_stated(name, ratios):
    cfg = load_llm(name)
    assert len(cfg.train_dataloader.dataset.datasets) == len(ratios)
    assert (cfg.model.contrastive is None) == (len(ratios) > 2)  # only recipe S has the contrastive loss
    assert list(cfg.train_dataloader.sampler.ratios) == ratios
    sizes = [50] * len(ratios)

    class Mixture:
        datasets = [range(size) for size in sizes]
        cumulative_sizes = np.cumsum(sizes).tolist()

        def __len__(self):
            return sum(sizes)

    draws = iter(MixtureSampler(Mixture(), ratios=list(cfg.train_dataloader.sampler.ratios), seed=0))
    count = 4000
    drawn = np.bincount([int(next(draws)) // 50 for _ in range(count)], minlength=len(ratios)) / count
    assert drawn == pytest.approx(np.array(ratios) / sum(ratios), abs=0.03)

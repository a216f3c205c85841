"""What a later round knows of the earlier ones, and masks from elsewhere."""
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from sessions import SHAPE, close, picture, same

from projects.glee.apis import InteractiveSession
from projects.glee.apis.session_image import SessionImage


@pytest.fixture(scope='module')
def glee():
    """A model whose memory is not zero, as if it were trained."""
    config = Config.fromfile('configs/glee/_base_/models/glee_mini.py').model
    config.panoptic_head.prompter.update(
        template_size=64, negative_tokens=True, memory=dict(type='MemoryPromptEncoder', num_tokens=4, num_heads=4),
        dense=dict(type='MaskFeatureRefiner', hidden_dims=8))
    config.panoptic_head.composer.pos_weight = 0.
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    model.panoptic_head.prompter.memory.gate.data.fill_(0.5)
    torch.nn.init.normal_(model.panoptic_head.prompter.dense.change.weight, std=0.3)
    return model


def rounds(glee, history, prev_weight=0.25):
    """Three rounds of one object, the last a negative click."""
    glee.panoptic_head.prompt_decoder.composer.prev_weight = prev_weight
    session = InteractiveSession(glee, scale=(96, 64), history=history)
    session.set_image(picture())
    found = [session.add(points=[(30, 20)])]
    found.append(session.refine(found[0].id, points=[(60, 40)]))
    found.append(session.refine(found[0].id, points=[(80, 50, -1)]))
    glee.panoptic_head.prompt_decoder.composer.prev_weight = 0.25
    return found


def test_tokens_see_the_mask_before_and_prompts_do_not(glee):
    remembered, prompts = rounds(glee, 'tokens'), rounds(glee, 'prompts')
    same(remembered[0], prompts[0])  # a first round has nothing to remember
    assert not torch.allclose(remembered[1].logits, prompts[1].logits)


def test_no_history_is_all_prompts_at_once(glee):
    forgotten, at_once = rounds(glee, 'none'), InteractiveSession(glee, scale=(96, 64))
    at_once.set_image(picture())
    close(at_once.add(points=[(30, 20), (60, 40), (80, 50, -1)]), forgotten[2])
    # the attraction of the mask before is all that 'prompts' adds
    for one, other in zip(rounds(glee, 'prompts', prev_weight=0.), forgotten):
        close(one, other)


def kept_bytes(value):
    """Bytes of all arrays, tensors and texts below a value, of the arrays and tensors that they are views of, too."""
    if isinstance(value, torch.Tensor):
        return value.untyped_storage().nbytes()
    if isinstance(value, np.ndarray):
        return value.nbytes if value.base is None else max(value.nbytes, kept_bytes(value.base))
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, dict):
        return sum(map(kept_bytes, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(kept_bytes, value))
    return kept_bytes(vars(value)) if hasattr(value, '__dict__') else 8


def test_rounds_keep_geometry_and_runs(glee):
    """Each of ten rounds on 1.2 megapixels keeps less than a sixteenth of one mask of that size."""
    shape = (900, 1300)
    session = InteractiveSession(glee, scale=(96, 64))
    session.set_image(picture(0, shape))
    drawn = np.zeros(shape, bool)
    drawn[300:500, 200:800] = True
    found = session.add(mask=drawn)
    for number in range(9):
        found = session.refine(found.id, points=[(140 * number + 20, 90 * number + 10, 1 if number % 2 else -1)])
    rounds = session._rounds[found.id]
    assert len(rounds) == 10 and found.mask.shape == shape
    assert kept_bytes([each.result for each in rounds]) < 10 * drawn.nbytes / 16
    assert kept_bytes([each.prompt for each in rounds]) < 10 * 10 * 100
    assert kept_bytes(np.zeros((9, 9))[:2]) == 9 * 9 * 8  # the measure itself


def test_undo_and_another_session_leave_the_memory_alone(glee):
    session, other = (InteractiveSession(glee, scale=(96, 64)) for _ in range(2))
    for each, seed in ((session, 0), (other, 1)):
        each.set_image(picture(seed))
    first = session.add(points=[(30, 20)])
    second = session.refine(first.id, points=[(60, 40)])
    other.refine(other.add(points=[(10, 10)]).id, points=[(40, 40, -1)])
    session.undo(first.id)
    same(session.refine(first.id, points=[(60, 40)]), second)


def test_a_mask_from_elsewhere_counts_as_the_round_before(glee):
    session = InteractiveSession(glee, scale=(96, 64))
    session.set_image(picture())
    mask = np.zeros(SHAPE, dtype=bool)
    mask[10:40, 20:60] = True
    plain, corrected = session.add(points=[(30, 20)]), session.add(points=[(30, 20)], prev=mask)
    other = session.add(points=[(30, 20)], prev=~mask)
    assert not torch.allclose(corrected.logits, plain.logits) and not torch.allclose(corrected.logits, other.logits)
    assert corrected.round == 1
    # the model's own mask, given back, is nearly the round itself
    again = session.refine(plain.id, points=[(31, 20)])
    own = session.add(points=[(30, 20), (31, 20)], prev=plain.mask)
    assert (own.logits - again.logits).abs().mean() < (plain.logits - again.logits).abs().mean()
    with pytest.raises(ValueError, match=r'the mask is \(3, 4\) but the image \(60, 90\)'):
        session.add(points=[(30, 20)], prev=np.ones((3, 4), dtype=bool))
    with pytest.raises(ValueError, match="history='long' is unknown"):
        InteractiveSession(glee, history='long')


def test_logits_of_a_mask_are_the_shares_of_its_pixels():
    """An 8 x 8 image that is not resized, features of a quarter of its size."""
    class Sample:
        ori_shape, img_shape, batch_input_shape = (8, 8), (8, 8), (8, 12)

    image = SessionImage(torch.zeros(1, 3, 8, 12), [torch.zeros(1, 1, 2, 3)], Sample, np.eye(3))
    mask = np.zeros((8, 8), dtype=bool)
    mask[:4, :4], mask[:4, 4:5] = True, True
    shares = torch.tensor([[0.99, 0.25, 0.01], [0.01, 0.01, 0.01]])
    torch.testing.assert_close(image.logits_of(mask), torch.log(shares / (1 - shares)))

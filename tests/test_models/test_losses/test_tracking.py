"""Linking, tracking loss, frame store and video detector."""
import golden_recipe as R
import numpy as np
import pytest
import torch
from criterion_inputs import golden_targets, recipe_boxes
from goldens import load_golden

from projects.glee.models.losses import ContrastiveTrackingLoss
from projects.glee.models.task_modules import HungarianMatcher
from projects.glee.models.trackers import FrameStore, QueryLinker


def test_links_equal_the_golden():
    """The order of every frame's queries equals the recorded one."""
    arrays, meta = load_golden('track_minvis')
    shape = (meta['queries'], meta['dim'])
    base, linker = R.normal(f"{meta['tag']}:base", shape), QueryLinker(memory_length=3)
    for frame in range(meta['frames']):
        embeddings = base[arrays['permutations'][frame]] + R.normal(
            f"{meta['tag']}:noise:{frame}", shape, meta['noise'])
        order = linker.link(torch.from_numpy(embeddings))
        expected = np.arange(shape[0]) if frame == 0 else arrays['indices'][frame - 1]
        assert order.tolist() == expected.tolist()


def test_linker_remembers_only_the_last_frames():
    """Memory holds ``memory_length`` embeddings; a frame with another number of queries is an error."""
    linker = QueryLinker(memory_length=2)
    for _ in range(7):
        linker.link(torch.randn(5, 4))
    assert len(linker.memory) == 2
    with pytest.raises(ValueError, match='6 queries'):
        linker.link(torch.randn(6, 4))


def test_tracking_loss_equals_the_golden():
    """Matches and loss of two clips of three frames."""
    arrays, meta = load_golden('track_contrastive')
    tag, num_images = meta['tag'], len(meta['counts'])
    embeddings = torch.from_numpy(R.normal(f'{tag}:embed', (num_images, 300, 256), 0.15))
    predictions = {'': dict(
        logits=torch.from_numpy(R.normal(f'{tag}:logits', (num_images, 300, meta['ncls']), 1.5, -1.)),
        boxes=recipe_boxes(f'{tag}:ctr', f'{tag}:wh', (num_images, 300), (.2, .8), (.05, .5)),
        mask_embeds=torch.zeros(num_images, 300, 1))}
    targets = golden_targets(tag, meta['counts'], meta['ncls'])
    matches = HungarianMatcher()(predictions, torch.zeros(num_images, 1, 2, 2), targets, use_masks=False)['']
    for image, (queries, objects) in enumerate(matches):
        assert torch.stack([queries, objects]).tolist() == arrays[f'match_frames_img{image}'].tolist()
    identities = [torch.from_numpy(np.sort(R.rng(f'{tag}:inst:{i}').permutation(6)[:count]))
                  for i, count in enumerate(meta['counts'])]
    loss = ContrastiveTrackingLoss(loss_weight=1.0)(
        embeddings, matches, identities, meta['len'], torch.from_numpy(arrays['neg_samples']).long())
    assert abs(float(loss) - float(arrays['loss'])) < 1e-5


def test_tracking_loss_by_hand():
    """One frame pair with two identities and one negative query, term by term."""
    embeddings = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    queries, objects = torch.tensor([0, 2]), torch.tensor([1, 0])
    later = (torch.tensor([1, 3]), torch.tensor([0, 1]))
    ids = [torch.tensor([7, 5]), torch.tensor([5, 9])]  # earlier: query 0 is 5, query 2 is 7
    loss = ContrastiveTrackingLoss(loss_weight=2.)(
        embeddings, [(queries, objects), later], ids, 2, [torch.tensor([2, 3]), torch.tensor([0])])
    first, second = embeddings
    positive = first[0] @ second[1]
    negatives = [first[0] @ second[3], first[2] @ second[1], first[2] @ second[3],
                 first[3] @ second[1], first[3] @ second[3]]
    expected = 2 * torch.log(1 + sum(torch.exp(n - positive) for n in negatives)) / 2
    torch.testing.assert_close(loss, expected)


def test_tracking_loss_without_objects_is_zero_and_differentiable():
    """Empty frames and objects that left their identity (-1) add nothing."""
    embeddings = torch.randn(4, 5, 3, requires_grad=True)
    none = (torch.zeros(0, dtype=torch.long), ) * 2
    one = (torch.tensor([1]), torch.tensor([0]))
    ids = [torch.tensor([3]), torch.tensor([-1]), torch.zeros(0, dtype=torch.long), torch.tensor([2])]
    loss = ContrastiveTrackingLoss()(embeddings, [one, one, none, one], ids, 2)
    loss.backward()
    assert float(loss.detach()) == 0 and float(embeddings.grad.abs().sum()) == 0
    with pytest.raises(ValueError, match='num_frames=3'):
        ContrastiveTrackingLoss()(embeddings, [one] * 4, ids, 3)


def test_frame_store_returns_what_it_took():
    """Order and content survive the file; only the window stays in memory."""
    store = FrameStore(in_memory=3)
    frames = [np.random.default_rng(i).random((4, 5)).astype(np.float16) for i in range(20)]
    for i, frame in enumerate(frames):
        store.append(masks=frame, number=np.array(i))
        assert store.nbytes <= 3 * (frame.nbytes + 8)
    for _ in range(2):  # reading twice, and appending in between
        got = list(store)
        assert [int(frame['number']) for frame in got] == list(range(len(store)))
        assert all(np.array_equal(frame['masks'], frames[i % 20]) for i, frame in enumerate(got))
        store.append(masks=frames[0], number=np.array(20))
    store.close()
    assert len(store) == 0 and not list(store)

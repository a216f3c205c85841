"""Inputs of the criterion tests, rebuilt from the shared recipe (tests/data/golden)."""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from mmengine.structures import InstanceData

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
import golden_recipe as R  # noqa: E402

GOLDEN_KEYS = {'final': '', 'aux0': 'd0', 'aux1': 'd1', 'interm': 'enc'}


def load(name):
    """Arrays and meta information of a golden file."""
    arrays = dict(np.load(TESTS / 'data' / 'golden' / f'{name}.npz'))
    return arrays, json.loads(arrays.pop('meta').tobytes())


def recipe_rand(*shape, device=None):
    """Stand-in for torch.rand that depends on the shape only."""
    return torch.from_numpy(R.rand_like_torch(*shape))


def boxes(name, shape, centre=(.3, .7), size=(.1, .4), names=('ctr', 'wh')):
    """Recipe boxes cxcywh (*shape, 4)."""
    parts = [R.uniform(f'{name}:{part}', (*shape, 2), *bounds)
             for part, bounds in zip(names, (centre, size))]
    return torch.from_numpy(np.concatenate(parts, -1))


def golden_targets(tag, counts, num_names, mask_hw=None):
    """Targets of a golden case."""
    targets = []
    for image, count in enumerate(counts):
        target = InstanceData()
        target.labels = torch.from_numpy(
            (R.uniform(f'{tag}:label:{image}', (count, )) * num_names).astype(np.int64))
        parts = [R.uniform(f'{tag}:ctr:{image}', (count, 2), .3, .7),
                 R.uniform(f'{tag}:wh:{image}', (count, 2), .1, .4)]
        target.boxes = torch.from_numpy(np.concatenate(parts, -1))
        if mask_hw is not None:
            pictures = [R.image(1000 * image + j, *mask_hw)[:, :, 0] for j in range(count)]
            target.masks = torch.from_numpy(np.stack(pictures) > 140)
        targets.append(target)
    return targets


def golden_predictions(meta):
    """Predictions of a criterion golden; the masks are the features, an embedding picks one."""
    shape, predictions, features = (2, meta['Q']), {}, {}
    for output, key in GOLDEN_KEYS.items():
        name = meta['tag'] + ('' if output == 'final' else f':{output}')
        predictions[key] = dict(
            logits=torch.from_numpy(R.normal(f'{name}:logits', (*shape, meta['C']), 1.5, -1.)),
            scores=torch.from_numpy(R.normal(f'{name}:scores', (*shape, 1))),
            boxes=boxes(name, shape, (.2, .8), (.05, .5)),
            mask_embeds=torch.eye(meta['Q']).repeat(2, 1, 1))
        features[key] = torch.from_numpy(
            R.normal(f'{name}:masks', (*shape, *meta['mask_hw']), 2.))
    return predictions, features


def random_case(counts, num_names=7, num_queries=12, dim=8, outputs=('', 'd0', 'enc'), seed=0,
                mask_hw=(32, 48), masks=True):
    """Random predictions that require gradients, mask features and targets."""
    gen = torch.Generator().manual_seed(seed)
    num_images = len(counts)

    def leaf(*shape):
        return torch.randn(*shape, generator=gen).requires_grad_()

    predictions = {
        key: dict(
            logits=leaf(num_images, num_queries, num_names),
            boxes=(torch.rand(num_images, num_queries, 4, generator=gen) * .8
                   + .05).requires_grad_(),
            scores=leaf(num_images, num_queries, 1),
            mask_embeds=leaf(num_images, num_queries, dim))
        for key in outputs
    }
    targets = []
    for count in counts:
        target = InstanceData(
            labels=torch.randint(num_names, (count, ), generator=gen),
            boxes=torch.rand(count, 4, generator=gen) * .4 + .2)
        if masks:
            target.masks = torch.rand(count, *mask_hw, generator=gen) > .5
        targets.append(target)
    return predictions, leaf(num_images, dim, mask_hw[0] // 4, mask_hw[1] // 4), targets

"""Inputs of the criterion tests, rebuilt from the shared recipe (tests/data/golden)."""
import golden_recipe as R  # noqa: F401  (tests take it from here)
import numpy as np
import torch
from mmengine.structures import InstanceData

GOLDEN_KEYS = {'final': '', 'aux0': 'd0', 'aux1': 'd1', 'interm': 'enc'}


def recipe_rand(*shape, device=None):
    """Stand-in for torch.rand that depends on the shape only."""
    return torch.from_numpy(R.rand_like_torch(*shape))


def recipe_boxes(centre_name, size_name, shape, centre=(.3, .7), size=(.1, .4)):
    """Recipe boxes cxcywh (*shape, 4)."""
    return torch.from_numpy(np.concatenate(
        [R.uniform(centre_name, (*shape, 2), *centre), R.uniform(size_name, (*shape, 2), *size)],
        -1))


def golden_targets(tag, counts, num_names, mask_hw=None):
    """Targets of a golden case."""
    targets = []
    for image, count in enumerate(counts):
        target = InstanceData()
        target.labels = torch.from_numpy(
            (R.uniform(f'{tag}:label:{image}', (count, )) * num_names).astype(np.int64))
        target.boxes = recipe_boxes(f'{tag}:ctr:{image}', f'{tag}:wh:{image}', (count, ))
        if mask_hw is not None:
            pictures = [R.image(1000 * image + j, *mask_hw)[:, :, 0] for j in range(count)]
            target.masks = torch.from_numpy(np.stack(pictures) > 140)
        targets.append(target)
    return targets


def golden_predictions(meta):
    """Predictions of a criterion golden and mask features.

    The golden draws full masks for each output. Here they are all channels of one feature map, and
    the embedding of a query is the unit vector that picks its mask.
    """
    num_queries, predictions, masks = meta['Q'], {}, []
    units = torch.eye(num_queries * len(GOLDEN_KEYS)).split(num_queries)
    for (output, key), unit in zip(GOLDEN_KEYS.items(), units):
        name = meta['tag'] + ('' if output == 'final' else f':{output}')
        shape = (len(meta['counts']), num_queries)
        predictions[key] = dict(
            logits=torch.from_numpy(R.normal(f'{name}:logits', (*shape, meta['C']), 1.5, -1.)),
            scores=torch.from_numpy(R.normal(f'{name}:scores', (*shape, 1))),
            boxes=recipe_boxes(f'{name}:ctr', f'{name}:wh', shape, (.2, .8), (.05, .5)),
            mask_embeds=unit.repeat(shape[0], 1, 1))
        masks.append(torch.from_numpy(R.normal(f'{name}:masks', (*shape, *meta['mask_hw']), 2.)))
    return predictions, torch.cat(masks, 1)


def random_case(counts, num_names=7, num_queries=12, dim=8, outputs=('', 'd0', 'enc'), seed=0,
                mask_hw=(32, 48), masks=True):
    """Random predictions that require gradients, mask features and targets."""
    gen = torch.Generator().manual_seed(seed)
    num_images = len(counts)

    def leaf(*shape):
        return torch.randn(*shape, generator=gen).requires_grad_()

    def uniform(*shape, low=0., high=1.):
        return torch.empty(shape).uniform_(low, high, generator=gen)

    predictions = {
        key: dict(
            logits=leaf(num_images, num_queries, num_names),
            boxes=uniform(num_images, num_queries, 4, low=.05, high=.85).requires_grad_(),
            scores=leaf(num_images, num_queries, 1),
            mask_embeds=leaf(num_images, num_queries, dim))
        for key in outputs
    }
    targets = []
    for count in counts:
        target = InstanceData(
            labels=torch.randint(num_names, (count, ), generator=gen),
            boxes=uniform(count, 4, low=.2, high=.6))
        if masks:
            target.masks = uniform(count, *mask_hw) > .5
        targets.append(target)
    return predictions, leaf(num_images, dim, mask_hw[0] // 4, mask_hw[1] // 4), targets

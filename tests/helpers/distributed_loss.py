"""Run in several processes: prints the mean over ranks of the mini model's loss, each rank on its share of a batch."""
import golden_recipe
import torch
import torch.distributed as dist
from mini_model import category_sample, images
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

import projects.glee  # noqa: F401


def injected_rand(*shape, **_):
    """Noise that does not depend on how the batch is split: equal for all masks and images."""
    shape = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    if shape[-1] != 2:
        return torch.full(shape, 0.5)  # denoising: no shift
    return torch.from_numpy(golden_recipe.rand_like_torch(*shape[-2:])).expand(shape).clone()


def main():
    torch.set_num_threads(1)
    dist.init_process_group('gloo')
    rank, world = dist.get_rank(), dist.get_world_size()
    init_default_scope('mmdet')
    # With other seeds (0, 3) a point that deformable attention samples lies within rounding of a cell's border, where
    # its derivative jumps: the backbone's gradient then differs by up to 7e-4, the loss does not.
    torch.manual_seed(1)
    model = MODELS.build(Config.fromfile('configs/glee/_base_/models/glee_mini.py').model)
    model.init_weights()
    model.train()
    model.backbone.eval()  # batch statistics would differ
    model.panoptic_head.denoising.label_flip = 0.  # the random labels would differ
    samples = [category_sample(seed=1), category_sample(seed=2)]
    torch.rand = injected_rand
    share = slice(rank * 2 // world, (rank + 1) * 2 // world)
    losses = model(images(2)[share], samples[share], mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    parameters = model.backbone.stem.conv.conv.weight, model.panoptic_head.category_embed
    numbers = [total.detach()]
    for parameter in parameters:  # a fixed projection: plain sums of some gradients cancel
        numbers.append((parameter.grad.flatten() * torch.arange(parameter.numel()).cos()).sum())
    numbers = torch.stack(numbers).double()
    dist.all_reduce(numbers)
    if rank == 0:
        print('numbers', *(numbers / world).tolist())


if __name__ == '__main__':
    main()
    dist.destroy_process_group()  # its threads abort the process if they outlive it

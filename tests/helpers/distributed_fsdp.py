"""Run in several processes: mini model under FSDP; prints its loss at three steps and the share of weights kept."""
import torch
import torch.distributed as dist
from distributed_loss import injected_rand
from mini_model import category_sample, images
from mmdet.registry import MODELS
from mmengine._strategy import FSDPStrategy
from mmengine.config import Config
from mmengine.registry import init_default_scope

import projects.glee  # noqa: F401


def main():
    torch.set_num_threads(1)
    dist.init_process_group('gloo')
    rank, world = dist.get_rank(), dist.get_world_size()
    init_default_scope('mmdet')
    # it draws a seed of its own
    strategy = FSDPStrategy(model_wrapper=dict(
        type='MMFullyShardedDataParallel', device_id='cpu', use_orig_params=True, auto_wrap_policy='shard_layers'))
    torch.manual_seed(1)
    cfg = Config.fromfile('configs/glee/_base_/models/glee_mini.py').model
    cfg.panoptic_head.align_prior = None  # FSDP takes no scalars
    model = MODELS.build(cfg)
    total = sum(parameter.numel() for parameter in model.parameters())
    model, optim_wrapper = strategy.prepare(
        model, optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1e-4)))
    model.train()
    model.module.backbone.eval()  # batch statistics would differ
    model.module.panoptic_head.denoising.label_flip = 0.  # the random labels would differ
    torch.rand = injected_rand
    share = slice(rank * 2 // world, (rank + 1) * 2 // world)
    samples = [category_sample(seed=1), category_sample(seed=2)][share]
    numbers = []
    for _ in range(3):
        total_loss, _ = model.module.parse_losses(model(images(2)[share], samples, mode='loss'))
        optim_wrapper.update_params(total_loss)
        numbers.append(total_loss.detach().double())
    numbers.append(torch.tensor(sum(parameter.numel() for parameter in model.parameters()) / total).double())
    numbers = torch.stack(numbers)
    dist.all_reduce(numbers)
    if rank == 0:
        print('numbers', *(numbers / world).tolist())


if __name__ == '__main__':
    main()
    dist.destroy_process_group()

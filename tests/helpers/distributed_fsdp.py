"""Run in one or two processes: a narrow GLEE-Pro under FSDP; prints its losses and the share of weights kept.

A step has two batches, one for each process or both, one after the other, for the only one.
"""
import copy

import torch
import torch.distributed as dist
from config_runs import shrink_size
from distributed_loss import injected_rand
from mini_model import category_sample, expression_sample, images
from mmdet.registry import MODELS
from mmengine._strategy import FSDPStrategy
from mmengine.config import Config
from mmengine.registry import init_default_scope

from projects.glee.models.data_preprocessors.batch_prompts import BatchPrompts


def steps():
    """Kinds of batches that differ in which layers they run: names, a sentence, an object that is pointed at."""
    names, sentence, pointed = (category_sample(count=1), expression_sample('the red ring', seed=1),
                                category_sample(count=1, seed=2))
    BatchPrompts().prompt([pointed], dict(point=1.0))  # of one pixel: nothing to draw
    return [(names, sentence), (pointed, names), (sentence, pointed), (names, names)]


def main():
    torch.set_num_threads(1)
    dist.init_process_group('gloo')
    rank, world = dist.get_rank(), dist.get_world_size()
    init_default_scope('mmdet')
    # it draws a seed of its own
    strategy = FSDPStrategy(model_wrapper=dict(
        type='MMFullyShardedDataParallel', device_id='cpu', use_orig_params=True, auto_wrap_policy='shard_layers'))
    torch.manual_seed(1)
    cfg = shrink_size(Config.fromfile('configs/glee/glee_eva02-l_stage2.py'), 'eva02-l').model
    cfg.backbone.init_cfg, cfg.panoptic_head.pixel_decoder.early_fusion.dropout = None, 0.0
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
    numbers = []
    for pair in steps():
        mean = 0.
        for picture, sample in list(zip(images(2), copy.deepcopy(pair)))[share]:
            loss, _ = model.module.parse_losses(model(picture[None], [sample], mode='loss'))
            (loss * world / 2).backward()
            mean = mean + loss.detach().double() / 2 * world
        optim_wrapper.step()
        optim_wrapper.zero_grad()
        numbers.append(mean)
    numbers.append(torch.tensor(sum(parameter.numel() for parameter in model.parameters()) / total).double())
    numbers = torch.stack(numbers)
    dist.all_reduce(numbers)
    if rank == 0:
        print('numbers', *(numbers / world).tolist())


if __name__ == '__main__':
    main()
    dist.destroy_process_group()

"""Run in several processes: prints the source of every draw of all ranks, in the order of the joined stream."""
import numpy as np
import torch
import torch.distributed as dist

from projects.glee.datasets.samplers import MixtureSampler

SIZES, RATIOS = (5, 100, 1000), (2., 5., 3.)


class Mixture:
    datasets = tuple(range(size) for size in SIZES)


def main():
    dist.init_process_group('gloo')
    # Each rank would propose another seed. Some seeds (2 of 300) miss a ratio by more than 2% in a rank's 5,000 draws.
    np.random.seed(dist.get_rank())
    stream = iter(MixtureSampler(Mixture, RATIOS, seed=None))  # the ranks have to agree on a seed
    ends = torch.tensor(SIZES).cumsum(0)
    taken = torch.tensor([int(next(stream)) for _ in range(10000 // dist.get_world_size())])
    ranks = [torch.zeros_like(taken) for _ in range(dist.get_world_size())]
    dist.all_gather(ranks, taken)
    if dist.get_rank() == 0:
        for rank in [*ranks, torch.stack(ranks, 1).flatten()]:
            sources = torch.bucketize(rank, ends, right=True)
            print('numbers', *(sources.bincount(minlength=len(SIZES)) / len(rank)).tolist(), len(rank.unique()))


if __name__ == '__main__':
    main()
    dist.destroy_process_group()  # its threads abort the process if they outlive it

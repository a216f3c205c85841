"""Interrupted and resumed training gives the weights of uninterrupted training."""
import logging
from typing import Any, Optional

from mmdet.registry import HOOKS
from mmengine.dist import broadcast_object_list, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ...utils.rng import seed_everything


def find_sampler(dataloader: DataLoader) -> Any:
    """The sampler of a loader that knows its ``seed``, or None."""
    for owner in (dataloader.batch_sampler, dataloader):
        sampler = getattr(owner, 'sampler', None)
        if hasattr(sampler, 'seed'):
            return sampler
    return None


def _conditions(loader: DataLoader) -> list[tuple[str, str, int | list[int]]]:
    """Name in a checkpoint, words and value of what data and random numbers depend on."""
    batches = getattr(loader.batch_sampler, 'batch_sizes', getattr(loader.batch_sampler, 'batch_size', None))
    return [('batch_size', 'the batch size', batches), ('world_size', 'the number of processes', get_world_size())]


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Makes every training iteration a function of (seed, rank, iteration).

    Before each iteration the generators of python, numpy and torch (all devices) are seeded from
    these three numbers. What happens between iterations, such as validation, the start of loader
    workers or an interruption, then cannot change dropout, denoising, sampled points or the batch
    vocabulary, and no rank's generator state needs to be gathered for a checkpoint. A checkpoint
    holds this seed and that of the sampler, so that a run without a configured seed resumes as well.

    On resume a batch sampler with ``skip`` (:class:`MixtureBatchSampler`) is advanced by index
    instead of loading and discarding batches, which is what mmengine does with samplers it does
    not know. Data are exact with :class:`MixtureDataset`, whose samples depend on the draw alone.

    The number of ranks and the batch size must be those of the interrupted run, and so must the mixture.

    Raises:
        ValueError: the number of ranks or the batch size is another one and the config has no
            ``resume_anyway=True``.
    """

    priority = 'VERY_HIGH'
    key = 'exact_resume'

    def __init__(self) -> None:
        self.seed: Optional[int] = None
        self._saved: Optional[dict] = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember the seeds of a checkpoint; they count only if training is resumed from it."""
        self._saved = checkpoint.get(self.key)

    def before_train(self, runner: Runner) -> None:
        """Fix the seeds and let the loop skip consumed batches by index."""
        seeds = [runner.seed]
        broadcast_object_list(seeds)
        self.seed = seeds[0]
        loader = runner.train_loop.dataloader
        if runner.iter > 0:
            self._restore(loader, runner.cfg.get('resume_anyway', False))
        iterator = getattr(runner.train_loop, 'dataloader_iterator', None)
        if iterator is not None and hasattr(loader.batch_sampler, 'skip'):
            iterator.skip_iter = loader.batch_sampler.skip

    def _restore(self, loader: DataLoader, anyway: bool) -> None:
        if self._saved is None:
            print_log(
                f'the checkpoint was written without {type(self).__name__}: data and random '
                'numbers will differ from those of an uninterrupted run',
                logger='current', level=logging.WARNING)
            return
        changes = [f'{words} has changed from {self._saved[name]} to {now}' for name, words, now in _conditions(loader)
                   if self._saved.get(name, now) != now]
        if changes:
            message = (f'since this checkpoint {" and ".join(changes)}: data and random numbers will differ '
                       'from those of an uninterrupted run')
            if not anyway:
                raise ValueError(f'{message}. Set it back, or continue all the same with --resume-anyway')
            print_log(message, logger='current', level=logging.WARNING)
        self.seed = self._saved['seed']
        sampler = find_sampler(loader)
        if sampler is not None and 'sampler_seed' in self._saved:
            sampler.seed = self._saved['sampler_seed']

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed all generators for this iteration."""
        seed_everything(self.seed, get_rank(), runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the seeds and what they count on (plain numbers) to the checkpoint."""
        loader = runner.train_loop.dataloader
        checkpoint[self.key] = dict(seed=int(self.seed), **{name: now for name, _, now in _conditions(loader)})
        sampler = find_sampler(loader)
        if sampler is not None:
            checkpoint[self.key]['sampler_seed'] = int(sampler.seed)

"""A fine-tuned detector that keeps the detector it started from."""
import copy
import json
from contextlib import nullcontext
from typing import Callable, ContextManager, Sequence

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, SampleList
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ....structures.sample_text import as_names, read_text_mode, sample_names
from ...detectors.glee import GLEE
from .low_rank import make_low_rank, plain_names
from .question_shares import join_found, normal_name
from .start_pictures import resized

ANSWERS = ('by_name', 'start', 'fine_tuned')
START = 'start.'


@MODELS.register_module()
class FineTunedGLEE(GLEE):
    """``GLEE`` that trains as ever and keeps the weights it started from, for the names that it has not learned.

    A fine-tune on a few names makes a model forget the others. The pictures of the few names cannot prevent that, and
    need not: what is asked for is known. So a name that training showed is looked for with the fine-tuned weights and
    any other with those of the start, which give what they gave before, bit by bit. A vocabulary of both takes two
    passes, whose detections are joined by score; with stuff (panoptic maps), where all names of a picture compete, the
    fine-tuned weights answer only if they know every name. Sentences and prompts go to the start, unless training had
    some. Names count as the same whatever their case and blanks.

    A checkpoint holds both, and which names were learned; weights that do not train are there once. A checkpoint
    without a start, of ``GLEE``, becomes the start.

    Args:
        frozen (Sequence[str]): parts that do not train and stay in eval mode, e.g. ('backbone', 'neck').
        rank (int | None): train matrices and kernels by changes of this rank (``make_low_rank``); None all of them.
        keep_start (bool): keep the start; without it there is one set of weights, and all names are asked of it.
        names (Sequence[str] | None): names that count as learned from the beginning on, e.g. words for the same; those
            of the training samples are added as they come.
        answers (str): 'by_name' as above; 'start' or 'fine_tuned' ask all names, sentences and prompts of one of them.
        start_side (int | None): shorter side, px, of the pictures that the start learned from: ``predict`` resizes
            to it what the start is asked without prompts. None leaves pictures as the recipe has them.
        **kwargs: of ``GLEE``.

    Raises:
        ValueError: ``answers`` is none of these.
    """

    def __init__(self, frozen: Sequence[str] = (), rank: int | None = None, keep_start: bool = True,
                 names: Sequence[str] | None = None, answers: str = 'by_name', start_side: int | None = None,
                 **kwargs) -> None:
        if answers not in ANSWERS:
            raise ValueError(f'answers={answers!r} is unknown; choose from {ANSWERS}')
        super().__init__(**kwargs)
        self.answers = answers
        self.start_side = start_side
        self.learned_names = {normal_name(name) for name in names or ()}
        self.learned_kinds: set[str] = set()
        self.frozen = [part for part in frozen if part in dict(self.named_modules())]
        for part in self.frozen:
            self.get_submodule(part).requires_grad_(False)
        self._plain_names: dict[str, str] = {}
        self._start_is_given = False
        self._twin: tuple[GLEE, ...] = ()  # in a tuple: no optimizer, hook or wrapper shall see its parameters
        if keep_start:
            self._twin = (_frozen_twin(self, [self.data_preprocessor, *map(self.get_submodule, self.frozen)]), )
        if rank is not None:
            make_low_rank(self, rank)
            self._plain_names = plain_names(self)
            for start in self._twin:
                for plain, name in self._plain_names.items():
                    module, _, leaf = plain.rpartition('.')
                    setattr(start.get_submodule(module), leaf, self.get_parameter(name))
        self.register_load_state_dict_post_hook(_take_start)

    # ---- which weights answer ----
    @property
    def start(self) -> GLEE | None:
        """The detector before fine-tuning, in eval mode; None without ``keep_start``."""
        if not self._twin:
            return None
        start = self._twin[0]
        start.cfg, start.dataset_meta = getattr(self, 'cfg', None), getattr(self, 'dataset_meta', None)
        return start

    def answering(self, kind: str) -> GLEE:
        """See ``GLEE``."""
        by_start = self.answers == 'start' or self.answers == 'by_name' and kind not in self.learned_kinds
        return self.start if self._twin and by_start else self

    def share_names(self, names: Sequence[str]) -> list[tuple[GLEE, list[int]]]:
        """See ``GLEE``."""
        everything = list(range(len(names)))
        if self.answers != 'by_name' or not self._twin:
            return [(self.start if self._twin and self.answers == 'start' else self, everything)]
        learned = [i for i in everything if normal_name(names[i]) in self.learned_names]
        others = [i for i in everything if i not in set(learned)]
        return [(detector, part) for detector, part in ((self, learned), (self.start, others)) if part]

    # ---- modes of the detector ----
    def train(self, mode: bool = True) -> 'FineTunedGLEE':
        """As in torch; frozen parts and the start stay in eval mode."""
        super().train(mode)
        for part in self.frozen:
            self.get_submodule(part).eval()
        return self

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """As ``GLEE``; what the samples ask for counts as learned from now on."""
        for sample in batch_data_samples:
            if 'prompts' in sample:
                self.learned_kinds.add('prompt')
            if read_text_mode(sample) == 'expression':
                self.learned_kinds.add('expression')
            else:
                self.learned_names.update(map(normal_name, sample_names(sample)))
        with parametrize.cached():
            return super().loss(batch_inputs, batch_data_samples)

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True,
                max_per_img: int | None = None) -> SampleList:
        """As ``GLEE``, each sample by the weights that know what it asks for."""
        for sample in batch_data_samples:
            self._find_text(sample)
        shares = [self._share(sample) for sample in batch_data_samples]
        found: list[dict[GLEE, DetDataSample]] = [{} for _ in shares]
        for detector in dict.fromkeys(detector for share in shares for detector in share):
            rows = [row for row, share in enumerate(shares) if detector in share]
            asked = [_part(batch_data_samples[row], shares[row], detector) for row in rows]
            inputs = batch_inputs if len(rows) == len(shares) else batch_inputs[rows]
            with parametrize.cached(), self._pictures(detector, inputs, asked, rescale) as pictures:
                answers = GLEE.predict(detector, pictures, asked, rescale, max_per_img)
            for row, answer in zip(rows, answers):
                found[row][detector] = answer
        most = self.panoptic_head.max_per_img if max_per_img is None else max_per_img
        for sample, answers, share in zip(batch_data_samples, found, shares):
            if len(share) > 1:
                sample.pred_instances = join_found(
                    [answers[detector].pred_instances for detector in share], list(share.values()), most)
        return batch_data_samples

    def _pictures(self, detector: GLEE, inputs: Tensor, asked: SampleList, rescale: bool) -> ContextManager[Tensor]:
        """The batch as a detector shall see it; boxes in pixels of the batch and masks of prompts keep it as it is."""
        if detector is self or self.start_side is None or not rescale or any('prompts' in sample for sample in asked):
            return nullcontext(inputs)
        return resized(inputs, asked, self.start_side, self.data_preprocessor.pad_size_divisor)

    def _share(self, sample: DetDataSample) -> dict[GLEE, list[int]]:
        """The detectors that answer a sample, each with the positions of its names."""
        if 'prompts' in sample or read_text_mode(sample) == 'expression':
            return {self.answering('prompt' if 'prompts' in sample else 'expression'): []}
        names, stuff = sample_names(sample), as_names(sample.get('stuff_text', ()))
        shares = dict(self.share_names((*names, *stuff)))
        if stuff and len(shares) > 1:
            return {self.start: []}
        return shares

    # ---- checkpoints ----
    def get_extra_state(self) -> Tensor:
        """What was learned, as the bytes of a JSON text, which every kind of weight file can hold."""
        state = dict(names=sorted(self.learned_names), kinds=sorted(self.learned_kinds))
        return torch.tensor(list(json.dumps(state).encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Add what was learned when the checkpoint was written."""
        if state.is_meta:  # of a checkpoint whose names and shapes alone are looked at
            return
        learned = json.loads(bytes(state.tolist()))
        self.learned_names.update(learned['names'])
        self.learned_kinds.update(learned['kinds'])

    def init_weights(self) -> None:
        """As ``GLEE``; the start is what this begins with. Low-rank changes are of a checkpoint that is yet to come."""
        if not self._plain_names:
            super().init_weights()
            self._follow_start()

    def _apply(self, fn: Callable[[Tensor], Tensor], *args, **kwargs) -> 'FineTunedGLEE':
        """Move the start with the weights (``.to``, ``.half``, ...)."""
        super()._apply(fn, *args, **kwargs)
        for start in self._twin:
            start._apply(fn, *args, **kwargs)
        return self

    def _start_tensors(self) -> dict[str, Tensor]:
        """What of the start is not a weight of this model too, by its name there."""
        own = {id(value) for value in _tensors(self).values()}
        return {name: value for start in self._twin for name, value in _tensors(start).items() if id(value) not in own}

    @torch.no_grad()
    def _follow_start(self) -> None:
        """Make the start what this is now, before it trains."""
        own = _tensors(self)
        for name, value in self._start_tensors().items():
            value.copy_(own[self._plain_names.get(name, name)])

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name, value in self._start_tensors().items():
            destination[f'{prefix}{START}{name}'] = value if keep_vars else value.detach()

    def _load_from_state_dict(self, state_dict: dict, prefix: str, local_metadata: dict, strict: bool,
                              missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str]) -> None:
        """Take checkpoints of ``GLEE`` too, and those with a start where none is kept."""
        given = {key.removeprefix(prefix + START): state_dict.pop(key) for key in list(state_dict)
                 if key.startswith(prefix + START)}
        self._start_is_given = bool(given and self._twin)
        for name, value in self._start_tensors().items() if self._start_is_given else ():
            # what did not train is there once, see _save_to_state_dict
            found = given.pop(name, state_dict.get(f'{prefix}{name}'))
            if found is None:
                missing_keys.append(f'{prefix}{START}{name}')
            elif found.shape != value.shape:
                error_msgs.append(f'size mismatch for {prefix}{START}{name}: {tuple(found.shape)} in the '
                                  f'checkpoint, {tuple(value.shape)} in the model')
            else:
                with torch.no_grad():
                    value.copy_(found)
        if self._start_is_given:
            unexpected_keys += [f'{prefix}{START}{name}' for name in given]
        state_dict.setdefault(f'{prefix}_extra_state', self.get_extra_state())
        for plain, name in self._plain_names.items():
            if f'{prefix}{plain}' in state_dict:
                state_dict[f'{prefix}{name}'] = state_dict.pop(f'{prefix}{plain}')
                change = name.removesuffix('original') + '0.'
                for factor in ('up', 'down'):
                    state_dict.setdefault(f'{prefix}{change}{factor}', self.get_parameter(f'{change}{factor}').detach())
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)


def read_learned(weights: dict[str, Tensor]) -> list[str]:
    """The names that the weights of a checkpoint have learned in a fine-tune; none of ``GLEE``'s."""
    state = weights.get('_extra_state')
    return [] if state is None else json.loads(bytes(state.tolist()))['names']


def _take_start(model: FineTunedGLEE, incompatible) -> None:
    """After loading: weights that came without a start are one."""
    if not model._start_is_given:
        model._follow_start()


def _frozen_twin(model: GLEE, shared: Sequence[nn.Module]) -> GLEE:
    """A copy of a detector with the parts ``shared`` and all weights that do not train in common."""
    same = {id(part): part for part in (*shared, *(p for p in model.parameters() if not p.requires_grad))}
    twin = copy.deepcopy(model, same).requires_grad_(False).eval()
    twin.panoptic_fusion_head.with_masks = True  # whatever the fine-tune learns
    return twin


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and lasting buffers themselves, by name."""
    return {f'{path}.{name}'.removeprefix('.'): value
            for path, module in model.named_modules()
            for name, value in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
            if name not in module._non_persistent_buffers_set}


def _part(sample: DetDataSample, share: dict[GLEE, list[int]], detector: GLEE) -> DetDataSample:
    """A sample as one of its detectors is asked: with its names alone where there are several."""
    if len(share) == 1:
        return sample
    names = sample_names(sample)
    meta = {key: value for key, value in sample.metainfo.items() if key != 'tokens_positive'}
    return DetDataSample(metainfo=dict(meta, text=tuple(names[position] for position in share[detector])))

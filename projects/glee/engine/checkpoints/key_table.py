"""Tables that rename the entries of a checkpoint in both directions."""
import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from .conversion_report import ConversionReport

_NAMED_KEYS = 5
_BRACES = re.compile(r'\{([^{}]*)\}')
_RANGE = re.compile(r'^(\d+)\.\.(\d+)$')


def expand(pattern: str) -> list[str]:
    """All names of a pattern with braces; the last braces vary fastest.

    ``'norm{0..2}.{weight,bias}'`` gives ``norm0.weight``, ``norm0.bias``, ``norm1.weight`` ...
    """
    parts = _BRACES.split(pattern)
    choices = []
    for index, part in enumerate(parts):
        found = _RANGE.match(part) if index % 2 else None
        if found:
            choices.append([str(i) for i in range(int(found[1]), int(found[2]) + 1)])
        else:
            choices.append(part.split(',') if index % 2 else [part])
    return [''.join(combination) for combination in itertools.product(*choices)]


@dataclass(frozen=True)
class Layout:
    """A change of layout: ``to_ours`` and its exact inverse ``to_theirs`` map a tensor."""
    to_ours: Callable[[Tensor], Tensor]
    to_theirs: Callable[[Tensor], Tensor]
    what: str


@dataclass(frozen=True)
class Rename:
    """Entries with values of their own: names on both sides, braces expanded in parallel.

    ``layout``: how the values change. ``group``: key of ``KeyTable.optional`` if a checkpoint may
    lack these entries as a whole.
    """
    theirs: str
    ours: str
    layout: Layout | None = None
    group: str = ''

    def pairs(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """(their names, our names) of every entry; one name each."""
        theirs, ours = expand(self.theirs), expand(self.ours)
        if len(theirs) != len(ours):
            raise ValueError(f'{self.theirs!r} has {len(theirs)} names, {self.ours!r} {len(ours)}')
        return [((their, ), (our, )) for their, our in zip(theirs, ours)]

    def convert(self, values: list[Tensor], to_ours: bool) -> list[Tensor]:
        """Values of one entry on the other side."""
        if self.layout:
            values = [(self.layout.to_ours if to_ours else self.layout.to_theirs)(v) for v in values]
        return values

    @property
    def why(self) -> str:
        """What changes beside the name."""
        return self.layout.what if self.layout else ''

    def prefixed(self, theirs: str = '', ours: str = '') -> 'Rename':
        """The same row for a part inside a larger model."""
        return replace(self, theirs=theirs + self.theirs, ours=ours + self.ours)


@dataclass(frozen=True)
class Join(Rename):
    """Several of their entries that are the rows of one of ours, in equal parts.

    The names of the parts fill the last braces of ``theirs``.
    """
    why = 'equal parts, their rows joined'

    def pairs(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """(their names, our names) of every entry; several of theirs to one of ours."""
        theirs, ours = expand(self.theirs), expand(self.ours)
        size = len(theirs) // len(ours)
        return [(tuple(theirs[i * size:(i + 1) * size]), (our, )) for i, our in enumerate(ours)]

    def convert(self, values: list[Tensor], to_ours: bool) -> list[Tensor]:
        """Join or split along the first axis."""
        if to_ours:
            return [torch.cat(values)]
        return list(values[0].chunk(len(self.pairs()[0][0])))


@dataclass(frozen=True)
class Alias:
    """Their further names of the entries ``of``; the braces of ``of`` come last in ``names``."""
    names: str
    of: str

    def pairs(self) -> list[tuple[str, str]]:
        """(further name, name of the entry)."""
        return list(zip(expand(self.names), itertools.cycle(expand(self.of))))


@dataclass(frozen=True)
class Derived:
    """Entries that are functions of the architecture, and may be absent.

    ``value`` makes them; if ``checked``, a stored value must agree with it (1e-3), or the checkpoint
    belongs to another architecture.
    """
    names: str
    value: Callable[[], Tensor]
    reason: str
    checked: bool = True

    def prefixed(self, prefix: str) -> 'Derived':
        """The same entries inside a larger model."""
        return Derived(prefix + self.names, self.value, self.reason, self.checked)


@dataclass(frozen=True)
class Drop:
    """Entries (a regular expression that ``re.search`` finds) without a counterpart."""
    pattern: str
    reason: str


class KeyMismatch(ValueError):
    """A checkpoint that a table does not describe; ``missing`` and ``unknown`` are its names."""

    def __init__(self, message: str, missing: Iterable[str] = (),
                 unknown: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.missing, self.unknown = list(missing), list(unknown)


@dataclass(frozen=True)
class KeyTable:
    """How the entries of a foreign ('their') checkpoint and of ours correspond.

    Attributes:
        name: of the foreign model, for messages.
        renames: entries that carry values.
        aliases: their further names of such entries; merged, or written again.
        derived, our_derived: entries on their and on our side that need no source.
        drops, our_drops: entries that the other side has no place for.
        shapes: their entries whose shape tells the architecture.
        optional: groups of entries a checkpoint may lack, with the consequence.
    """
    name: str
    renames: tuple[Rename, ...]
    aliases: tuple[Alias, ...] = ()
    derived: tuple[Derived, ...] = ()
    our_derived: tuple[Derived, ...] = ()
    drops: tuple[Drop, ...] = ()
    our_drops: tuple[Drop, ...] = ()
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    optional: dict[str, str] = field(default_factory=dict)

    @cached_property
    def rows(self) -> list[tuple[tuple[str, ...], tuple[str, ...], Rename]]:
        """(their names, our names, rule) of every entry that carries values."""
        return [(*pair, rename) for rename in self.renames for pair in rename.pairs()]

    def to_ours(self, theirs: dict[str, Tensor]) -> tuple[dict[str, Tensor], ConversionReport]:
        """Our entries made of theirs. The tensors are shared, not copied.

        Raises:
            KeyMismatch: entries are missing or unknown, have another shape, or an alias or a
                derived entry has values of its own.
        """
        report, left = ConversionReport(), dict(theirs)
        self._drop(left, self.drops, report)
        self._check_derived(left, self.derived, report)
        self._merge_aliases(left, report)
        ours = self._rename(left, report, to_ours=True)
        self._check_shapes(theirs)
        for rule in self.our_derived:
            self._add(ours, dict.fromkeys(expand(rule.names), rule.value()), rule.reason, report)
        return ours, report

    def to_theirs(self, ours: dict[str, Tensor]) -> tuple[dict[str, Tensor], ConversionReport]:
        """Their entries made of ours, aliases and derived entries included; see ``to_ours``."""
        report, left = ConversionReport(), dict(ours)
        self._drop(left, self.our_drops, report)
        self._check_derived(left, self.our_derived, report)
        theirs = self._rename(left, report, to_ours=False)
        self._check_shapes(theirs)
        for alias in self.aliases:
            self._add(theirs, {name: theirs[of] for name, of in alias.pairs()},
                      f'alias of {alias.of}', report)
        for rule in self.derived:
            self._add(theirs, dict.fromkeys(expand(rule.names), rule.value()), rule.reason, report)
        return theirs, report

    def _rename(self, source: dict[str, Tensor], report: ConversionReport,
                to_ours: bool) -> dict[str, Tensor]:
        """Rename every entry of ``source``."""
        missing, result = [], {}
        left = dict(source)
        absent = self._absent_groups(source, to_ours)
        for theirs, ours, rule in self.rows:
            names, targets = (theirs, ours) if to_ours else (ours, theirs)
            if all(name in left for name in names):
                values = rule.convert([left.pop(name) for name in names], to_ours)
                result.update(zip(targets, values, strict=True))
                self._report(report, names, targets, rule.why)
            elif rule.group in absent:
                self._report(report, names, targets, self.optional[rule.group], 'absent')
            else:
                missing += [name for name in names if name not in left]
        if missing or left:
            raise KeyMismatch(
                f'the entries do not fit {self.name}: {_listed("missing", missing)}, '
                f'{_listed("unknown", list(left))}.', missing, left)
        return result

    @staticmethod
    def _report(report: ConversionReport, names: tuple[str, ...], targets: tuple[str, ...], why: str,
                action: str | None = None) -> None:
        for name, target in zip(names, itertools.cycle(targets)):
            usual = 'merged' if len(names) > len(targets) else 'used' if name == target else 'renamed'
            report.add(action or usual, name, ', '.join(targets), why)

    def _absent_groups(self, source: dict[str, Tensor], to_ours: bool) -> set[str]:
        """Optional groups of which ``source`` has no entry at all."""
        present = {rule.group for theirs, ours, rule in self.rows
                   if any(name in source for name in (theirs if to_ours else ours))}
        return set(self.optional) - present

    def _merge_aliases(self, left: dict[str, Tensor], report: ConversionReport) -> None:
        """Remove aliases from ``left``; one stands in for an entry stored under no other name."""
        for alias in self.aliases:
            for name, of in alias.pairs():
                if name not in left:
                    continue
                value = left.pop(name)
                if not _same(left.setdefault(of, value), value):
                    raise KeyMismatch(f'{name} and {of} differ, but in {self.name} they are one '
                                      'tensor: the checkpoint comes from another architecture.')
                report.add('merged', name, of, 'alias: the same tensor under another name')

    def _check_derived(self, left: dict[str, Tensor], rules: tuple[Derived, ...],
                       report: ConversionReport) -> None:
        for rule in rules:
            value = None
            for name in expand(rule.names):
                if name not in left:
                    continue
                stored = left.pop(name)
                value = rule.value() if value is None else value
                if rule.checked and not _same(stored, value, 1e-3):
                    raise KeyMismatch(f'{name} is not that of {self.name} ({rule.reason}): the '
                                      'checkpoint comes from another architecture.')
                report.add('dropped', name, '', rule.reason)

    @staticmethod
    def _drop(left: dict[str, Tensor], rules: tuple[Drop, ...], report: ConversionReport) -> None:
        for name in list(left):
            reason = next((rule.reason for rule in rules if re.search(rule.pattern, name)), None)
            if reason is not None:
                del left[name]
                report.add('dropped', name, '', reason)

    @staticmethod
    def _add(result: dict[str, Tensor], entries: dict[str, Tensor], reason: str,
             report: ConversionReport) -> None:
        result.update(entries)
        for name in entries:
            report.add('added', '', name, reason)

    def _check_shapes(self, theirs: dict[str, Tensor]) -> None:
        for name, shape in self.shapes.items():
            if name in theirs and tuple(theirs[name].shape) != tuple(shape):
                raise KeyMismatch(f'{name} has shape {tuple(theirs[name].shape)}, in {self.name} it '
                                  f'is {tuple(shape)}: the checkpoint is another size.')


def _same(first: Tensor, second: Tensor, atol: float = 0.) -> bool:
    """Whether two tensors have one shape and, unless only their shapes are known, the same values."""
    if first is second or first.shape != second.shape:
        return first is second
    if first.is_meta or second.is_meta:
        return True
    if atol == 0:
        return torch.equal(first, second)
    return torch.allclose(first.double(), second.double(), rtol=0, atol=atol)


def _listed(kind: str, names: list[str]) -> str:
    more = f' and {len(names) - _NAMED_KEYS} more' if len(names) > _NAMED_KEYS else ''
    named = f' ({", ".join(names[:_NAMED_KEYS])}{more})' if names else ''
    return f'{len(names)} {kind}{named}'

"""What a conversion did with every entry of a checkpoint."""
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ACTIONS = dict(
    used='kept under its name',
    renamed='kept under another name',
    merged='stored once more under another name',
    dropped='not needed',
    added='made, not read',
    absent='neither in the source nor in the result')


@dataclass(frozen=True)
class Line:
    """One entry: ``action`` of ``ACTIONS``, its name before and after, and why."""
    action: str
    source: str
    target: str
    reason: str


@dataclass
class ConversionReport:
    """One line for every entry of the source, and for every entry of the result."""
    lines: list[Line] = field(default_factory=list)

    def add(self, action: str, source: str, target: str, reason: str = '') -> None:
        """Append a line; KeyError for an unknown action."""
        ACTIONS[action]
        self.lines.append(Line(action, source, target, reason))

    def names(self, *actions: str) -> list[str]:
        """Source names (target names of added entries) of the lines with these actions."""
        return [line.source or line.target for line in self.lines if line.action in actions]

    @property
    def counts(self) -> dict[str, int]:
        """Number of entries per action."""
        return dict(Counter(line.action for line in self.lines))

    def summary(self) -> str:
        """The report with entries that differ in numbers only written as one line with '*'."""
        groups = Counter()
        for line in self.lines:
            groups[line.action, _starred(line.source), _starred(line.target), line.reason] += 1
        rows = []
        for (action, source, target, reason), count in groups.items():
            arrow = ' -> ' if source and target and source != target else ''
            names = source + arrow + (target if target != source else '')
            rows.append(f'{action:8}{count:5}  {names}' + (f'  ({reason})' if reason else ''))
        totals = ', '.join(f'{count} {action}' for action, count in self.counts.items())
        return '\n'.join([*sorted(rows, key=lambda row: list(ACTIONS).index(row[:8].strip())), totals])

    def save(self, path: Path) -> None:
        """Write a tab-separated file with one line per entry."""
        rows = [('action', 'source', 'target', 'reason')]
        rows += [(line.action, line.source, line.target, line.reason) for line in self.lines]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('\n'.join('\t'.join(row) for row in rows) + '\n')


def _starred(name: str) -> str:
    return re.sub(r'\d+', '*', name)

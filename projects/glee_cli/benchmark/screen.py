"""The table of a running suite on a terminal; a line for each finished row anywhere else."""
from typing import Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from .suite_run import DONE, FAILED, RUNNING, WAITING, Row
from .tables import clock, duration, memory, remark, value_of

_NUMBERS = 3  # of a row, on the screen


class Screen:
    """Shows rows whenever it is called.

    Args:
        size: of the model, see ``SIZES``.
        console: by default the program's output.
    """

    def __init__(self, size: str, console: Console | None = None) -> None:
        self.size, self.console = size, console or Console()
        # no thread of its own: processes are started beside it
        self.live = Live(console=self.console, auto_refresh=False) if self.console.is_terminal else None
        self.said: set[str] = set()

    def __enter__(self) -> 'Screen':
        if self.live is not None:
            self.live.__enter__()
        return self

    def __exit__(self, *reason) -> None:
        if self.live is not None:
            self.live.__exit__(*reason)

    def __call__(self, rows: Sequence[Row]) -> None:
        """Show the rows as they are."""
        if self.live is not None:
            self.live.update(self.table(rows), refresh=True)
            return
        for row in rows:
            if row.state in (DONE, FAILED) and row.benchmark.name not in self.said:
                self.said.add(row.benchmark.name)
                kept = ' (finished before)' if row.kept else ''
                parts = [f'{row.benchmark.name}: {row.state}{kept}', self._numbers(row), clock(row), memory(row)]
                parts += [remark(row)] if row.state != DONE or row.remark else []
                print(*filter(None, parts), sep='  ', flush=True)

    def table(self, rows: Sequence[Row]) -> Table:
        """One line for each row: its state, its first numbers, time and memory."""
        table = Table(*('benchmark', 'state', 'ours (paper)', 'time', 'memory'), expand=True)
        for row in rows:
            state = f'{row.state} {row.progress}' if row.state == RUNNING else row.state
            time = duration(row.seconds) if row.state == RUNNING else clock(row)
            text = self._numbers(row) if row.stamp else remark(row) if row.state not in (WAITING, RUNNING) else ''
            table.add_row(row.benchmark.name, state, text, time, memory(row))
        return table

    def _numbers(self, row: Row) -> str:
        parts = []
        for number in row.benchmark.numbers_of(self.size)[:_NUMBERS]:
            ours, paper = value_of(row, number), row.expected.get(number.key)
            if ours is not None:
                parts.append(f'{number.name} {ours:.1f}' + (f' ({paper[0]:.1f})' if paper else ''))
        return ', '.join(parts)

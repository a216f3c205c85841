"""Where the files of data sets are to be had: the tables of docs/DATA.md, for people and programs alike."""
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Iterator, NamedTuple, Optional

TABLES = Path(__file__).resolve().parents[3] / 'docs/DATA.md'


class DataSource(NamedTuple):
    """A row of a table. ``patterns``: its files and, with a slash at the end, folders below the data root; ``origin``:
    who publishes it; ``made_by``: 'as released' or the converter; ``in_miniworld``: there is a synthetic one."""
    patterns: tuple[str, ...]
    origin: str
    made_by: str
    in_miniworld: bool = True

    def has(self, path: str) -> bool:
        """Whether a path below the data root is one of these files, or in or above one of these folders."""
        path = path.rstrip('/')
        return any(fnmatch(path, pattern) or pattern.endswith('/') and (
            fnmatch(f'{path}/', f'{pattern}*') or pattern.startswith(f'{path}/')) for pattern in self.patterns)


def read_tables(path: Path = TABLES) -> list[DataSource]:
    """All rows of the tables of a page; none without the page."""
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text(encoding='utf-8').splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if not line.startswith('|') or len(cells) != 5 or cells[1] == 'annotations' or set(cells[0]) == {'-'}:
            continue
        words = re.findall(r'`([^`]+)`', f'{cells[1]} {cells[2]}')
        made_by = cells[4].partition(':')[0].replace('`', '')
        rows.append(DataSource(tuple(path for word in words for path in expand(word)), cells[3], made_by,
                               bool(cells[0]) or made_by != 'as released'))
    return rows


def find_source(path: str, rows: list[DataSource]) -> Optional[DataSource]:
    """The row that says where a path below the data root is to be had: one that names it, before one of its folder."""
    exact = (row for row in rows if any(fnmatch(path.rstrip('/'), pattern.rstrip('/')) for pattern in row.patterns))
    return next(exact, next((row for row in rows if row.has(path)), None))


def expand(text: str) -> Iterator[str]:
    """Every path that a text with alternatives in braces stands for; ``{0..3}`` are numbers."""
    match = re.search(r'\{([^{}]*)\}', text)
    if match is None:
        yield text
        return
    inner = match.group(1)
    first, dots, last = inner.partition('..')
    choices = map(str, range(int(first), int(last) + 1)) if dots else inner.split(',')
    for choice in choices:
        yield from expand(text[:match.start()] + choice + text[match.end():])

"""The table of a suite as Markdown, JSON and a page, after every row."""
import json
from html import escape
from pathlib import Path
from typing import Iterator, NamedTuple, Sequence

from .member_run import write_whole
from .names_curve import FOLDER as CURVE
from .names_curve import curve_table, read_curve
from .suite import Number
from .suite_run import DONE, NO_DATA, Row

HEADS = ('benchmark', 'number', 'paper', 'ours', 'difference', 'time', 'memory', 'remark')
_SHOWN = 4  # pictures of a row on the page


class Cells(NamedTuple):
    """A line of the table, as text. ``first``: of its benchmark."""
    first: bool
    values: tuple[str, ...]


def cells_of(row: Row, size: str) -> Iterator[Cells]:
    """A line for each number of a row."""
    numbers = row.benchmark.numbers_of(size)
    for place, number in enumerate(numbers):
        ours, paper = value_of(row, number), row.expected.get(number.key)
        difference = '' if ours is None or paper is None else f'{ours - paper[0]:+.1f}'
        texts = ['' if paper is None else f'{paper[0]:.1f}' + (' (stage 2)' if paper[1] != _stage(row) else ''),
                 '-' if ours is None else f'{ours:.{1 if number.scale > 1 else 2}f}', difference]
        about = (clock(row), memory(row), remark(row)) if place == 0 else ('', '', '')
        yield Cells(place == 0, (row.benchmark.name if place == 0 else '', number.name, *texts, *about))


def value_of(row: Row, number: Number) -> float | None:
    """Our number as it is shown, None without one."""
    value = (row.stamp or {}).get('metrics', {}).get(number.key)
    return None if value is None else value * number.scale


def clock(row: Row) -> str:
    """Time of a row, with that of a step of its loop (a batch, or a window of frames)."""
    if row.stamp is None:
        return ''
    step = row.stamp.get('seconds_per_step')
    return f'{duration(row.stamp["seconds"])}' + (f' ({step:.3g} s a step)' if step else '')


def duration(seconds: float) -> str:
    """'1 h 05 min', '2 min 05 s', '7 s'."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours} h {minutes:02} min' if hours else f'{minutes} min {rest:02} s' if minutes else f'{rest} s'


def memory(row: Row) -> str:
    """Peak memory of a row: of the GPU, or of the process where there is none."""
    return '' if row.stamp is None else f'{row.stamp["memory_mib"] / 1024:.1f} GiB' + (
        ' (GPU)' if row.stamp['memory_of'] == 'gpu' else '')


def remark(row: Row) -> str:
    """What keeps a row from its numbers, or is to be known about it."""
    if row.state == NO_DATA:
        return 'no data: ' + '; '.join(lacking(row))
    if row.remark or row.state not in (DONE, NO_DATA):
        return row.remark or row.state
    return row.benchmark.note


def lacking(row: Row) -> list[str]:
    """Files that a row lacks: at most three from each place, and where they are to be had."""
    places: dict[tuple[str, str], list[str]] = {}
    for entry in row.missing:
        places.setdefault((entry['origin'], entry['made_by']), []).append(entry['path'])
    return [', '.join(paths[:3]) + (f' and {len(paths) - 3} more' if len(paths) > 3 else '') + f' ({origin}'
            + (f', {made_by}' if made_by else '') + ')' for (origin, made_by), paths in places.items()]


def save_tables(rows: Sequence[Row], about: dict, work_dir: Path) -> list[Path]:
    """Write ``benchmark_<suite>`` .json, .md and .html into the work folder.

    Args:
        rows: of ``plan``.
        about: ``suite``, ``size``, ``stage``, ``checkpoint`` and what else is to be said of the run.
        work_dir: the folder.

    Returns:
        list[Path]: the three files.
    """
    stem = work_dir / f'benchmark_{about["suite"]}'
    content = dict(about, rows=[as_dict(row, about['size']) for row in rows], many_names=read_curve(work_dir))
    texts = {'.json': json.dumps(content, indent=1) + '\n',
             '.md': as_markdown(rows, about) + curve_table(work_dir), '.html': as_page(rows, about, work_dir)}
    for suffix, text in texts.items():
        write_whole(stem.with_suffix(suffix), text)
    return [stem.with_suffix(suffix) for suffix in texts]


def as_dict(row: Row, size: str) -> dict:
    """A row for programs: numbers in full."""
    numbers = []
    for number in row.benchmark.numbers_of(size):
        ours, paper = value_of(row, number), row.expected.get(number.key)
        numbers.append(dict(
            key=number.key, name=number.name, ours=ours, paper=paper and paper[0], paper_stage=paper and paper[1],
            difference=None if ours is None or paper is None else ours - paper[0]))
    stamp = row.stamp or {}
    return dict(
        benchmark=row.benchmark.name, data=row.benchmark.title, state=row.state, config=_config(row),
        options=row.run.options, numbers=numbers, all_metrics=stamp.get('metrics'), seconds=stamp.get('seconds'),
        seconds_per_step=stamp.get('seconds_per_step'), memory_mib=stamp.get('memory_mib'),
        memory_of=stamp.get('memory_of'), missing=row.missing, note=row.benchmark.note, remark=row.remark)


def as_markdown(rows: Sequence[Row], about: dict) -> str:
    """The table and a head."""
    lines = [f'# {_headline(about)}', '', *(f'{line}  ' for line in _head(about)), '',
             '| ' + ' | '.join(HEADS) + ' |', '| ' + ' | '.join('---' for _ in HEADS) + ' |']
    for row in rows:
        for cells in cells_of(row, about['size']):
            lines.append('| ' + ' | '.join(value.replace('|', '\\|') for value in cells.values) + ' |')
    return '\n'.join(lines) + '\n'


def as_page(rows: Sequence[Row], about: dict, work_dir: Path) -> str:
    """One page without anything from elsewhere: the table, pictures, links to the report of each row."""
    lines, work_dir = [], work_dir.resolve()  # as the folders of rows are
    for row in rows:
        for cells in cells_of(row, about['size']):
            name, *rest = (escape(value) for value in cells.values)
            report = row.run.folder / 'report.html'
            if cells.first and report.is_file():
                name = f'<a href="{escape(str(report.relative_to(work_dir)))}">{name}</a>'
            lines.append('<tr>' + ''.join(f'<td>{value}</td>' for value in (name, *rest)) + '</tr>')
        shown = _pictures(row)
        if shown:
            lines.append(f'<tr><td colspan="{len(HEADS)}">' + ''.join(
                f'<img src="{escape(str(path.relative_to(work_dir)))}" alt="" loading="lazy">'
                for path in shown) + '</td></tr>')
    head = ''.join(f'<th>{name}</th>' for name in HEADS)
    curve = '' if read_curve(work_dir) is None else (
        f'<h2>Time and memory against the number of names</h2>\n<a href="{CURVE}/{CURVE}.md"><img class="curve" '
        f'src="{CURVE}/{CURVE}.svg" alt="two curves"></a>\n')
    title = escape(_headline(about))
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>'
            'body{font-family:sans-serif;margin:2em} table{border-collapse:collapse} '
            'td,th{border-bottom:1px solid #ccc;padding:.2em .7em;text-align:left} img{height:120px;margin:.2em} '
            'img.curve{height:auto;max-width:100%}'
            f'</style></head><body>\n<h1>{title}</h1>\n<p>' + '<br>'.join(escape(line) for line in _head(about))
            + f'</p>\n<table><tr>{head}</tr>\n' + '\n'.join(lines) + f'\n</table>\n{curve}</body></html>\n')


def _headline(about: dict) -> str:
    return f'Suite {about["suite"]} of {Path(about["checkpoint"]).name}'


def _head(about: dict) -> list[str]:
    return [f'Checkpoint {about["checkpoint"]}, SHA-256 {about["sha256"][:16]}; {about["model"]}; {about["machine"]}.',
            'Per cent, but for clicks and what says otherwise. The paper\'s numbers are of its authors\' weights and '
            'code.' + (' On MiniWorld, a synthetic world, the paper has none.' if about['size'] == 'mini' else '')]


def _stage(row: Row) -> int:
    return max((stage for _, stage in row.expected.values()), default=2)


def _config(row: Row) -> str:
    return '/'.join(row.run.config.parts[-4:])


def _pictures(row: Row) -> list[Path]:
    if row.state != DONE:
        return []
    found = [path for suffix in ('jpg', 'png') for path in sorted(row.run.folder.glob(f'*/pictures/**/*.{suffix}'))]
    return found[:_SHOWN]

"""One page about one test, which needs no other file."""
from html import escape
from pathlib import Path
from typing import Iterable, Optional

import numpy as np

from ...datasets.store.pictures import list_pictures, read_picture
from . import figures
from .detections import Detections, read_detections
from .errors import KINDS, error_shares
from .measures import calibration, confusion, per_class, recall_by_size
from .training_curves import groups_of_losses, read_scalars
from .work_folder import FinishedTest, TestedSet, read_work_folder
from .worst_pictures import COLOURS, RIGHT, draw_pair, picture_name, worst_pictures

MOST_NAMES, MOST_WORST, MOST_PICTURES = 20, 8, 12
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; margin: 0 auto; max-width: 1120px; padding: 24px }
h1 { margin: 0; font-size: 26px }
h2 { margin: 40px 0 8px; font-size: 19px; border-bottom: 1px solid #dde3ea }
h3 { margin: 24px 0 4px; font-size: 16px }
p { margin: 4px 0 12px; max-width: 80ch }
.quiet { color: #5f6c7b }
.cards { display: flex; flex-wrap: wrap; gap: 10px; margin: 14px 0 }
.card { background: #f2f5f9; border-radius: 8px; padding: 8px 14px; min-width: 92px }
.card b { display: block; font-size: 21px }
.card span { color: #5f6c7b; font-size: 12px }
table { border-collapse: collapse; font-size: 13px }
th, td { padding: 3px 12px 3px 0; text-align: right; border-bottom: 1px solid #e6ebf1 }
th:first-child, td:first-child { text-align: left }
.row { display: flex; gap: 24px; flex-wrap: wrap; align-items: flex-start }
.row > div, .row > ul { flex: 1 1 440px; min-width: 0 }
img { max-width: 100% }
.scroll { max-height: 420px; overflow: auto }
.key { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin: 0 5px 0 14px }
figure { margin: 14px 0 }
figcaption { font-size: 13px; color: #5f6c7b }
"""


def write_report(folder: str | Path, training: Optional[str | Path] = None, score_thr: float = 0.3) -> Path:
    """Write ``report.html`` into the work folder of a test; see ``read_work_folder`` for what it reads.

    Args:
        folder: work folder of the test.
        training: work folder of the training whose curves are shown; by default that of the test.
        score_thr: detections below it count neither in the tables of precision and confusion nor in pictures.

    Returns:
        Path: of the page.

    Raises:
        FileNotFoundError: there is no such folder, or nothing of a test in it.
        ValueError: a file of it cannot be used.
    """
    test = read_work_folder(folder)
    parts = [_head(test)]
    for tested in test.sets:
        parts += _set_parts(tested, score_thr)
    if not test.sets:
        parts.append('<p class="quiet">No detections in COCO form were left here, so that there is nothing to break '
                     'down: tools/test.py --report leaves them for the metrics that have them.</p>')
    parts += [*_shown_pictures(test.folder), *_training_parts(read_scalars(training or folder))]
    path = test.folder / 'report.html'
    path.write_text(f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(test.folder.name)}</title>'
                    f'<style>{STYLE}</style><body>{"".join(parts)}</body></html>', encoding='utf-8')
    return path


def _head(test: FinishedTest) -> str:
    cards = ''.join(f'<div class="card"><b>{_number(value)}</b><span>{escape(name)}</span></div>'
                    for name, value in test.numbers.items())
    weights = test.config.get('load_from') if test.config is not None else None
    return (f'<h1>{escape(test.folder.name)}</h1><p class="quiet">Checkpoint: {escape(str(weights))}</p>'
            f'<div class="cards">{cards or "No numbers were left here."}</div>')


# ---- detections ----
def _set_parts(tested: TestedSet, score_thr: float) -> list[str]:
    """Everything about the boxes of a set, or about its masks where there are no boxes."""
    kind = 'bbox' if 'bbox' in tested.results else 'segm'
    detections = read_detections(tested.truth, tested.results[kind], kind)
    shapes = 'boxes' if kind == 'bbox' else 'masks'
    pictures = len(detections.pictures)
    objects = sum(len(picture.truth_labels) for picture in detections.pictures)
    title = f'{tested.name}: {shapes}' if tested.name else shapes.capitalize()
    return [f'<h2>{escape(title)}</h2><p class="quiet">{pictures} pictures, {objects} objects of '
            f'{len(detections.names)} names. Right means IoU of at least 0.5 with an object of the name that no better '
            f'detection found.</p>',
            _errors(detections), _scores_and_sizes(detections), _names(detections, score_thr),
            *_worst(detections, tested, score_thr)]


def _errors(detections: Detections) -> str:
    shares = error_shares(detections)
    order = sorted(KINDS, key=lambda kind: -shares[kind]['cost'])
    drawn = figures.bars(order, [100 * shares[kind]['cost'] for kind in order],
                         [f'{100 * shares[kind]["cost"]:.1f}  ({shares[kind]["count"]} times)' for kind in order],
                         'points of AP50 gained without them')
    lines = ''.join(f'<li><b>{kind}</b>: {KINDS[kind]}</li>' for kind in order)
    return ('<h3>What went wrong</h3><p>Kinds of errors by what they cost, each set right alone, so that they do not '
            f'add up.</p><div class="row"><div>{drawn}</div><ul>{lines}</ul></div>')


def _scores_and_sizes(detections: Detections) -> str:
    means, shares, counts, error = calibration(detections)
    return ('<div class="row"><div><h3>Scores</h3><p>Share of the detections that are right, by score; their number '
            f'above. Expected calibration error {error:.3f}.</p>{figures.reliability(means, shares, counts)}</div>'
            '<div><h3>Sizes</h3><p>Share of the objects that are found, at any score; their number above.</p>'
            f'{figures.recalls(recall_by_size(detections))}</div></div>')


def _names(detections: Detections, score_thr: float) -> str:
    rows = per_class(detections, score_thr)
    body = ''.join(f'<tr><td>{escape(row["name"])}</td><td>{row["objects"]}</td>' + ''.join(
        f'<td>{_number(row[key])}</td>' for key in ('AP', 'AP50', 'precision', 'recall')) + '</tr>' for row in rows)
    chosen = [detections.names.index(row['name']) for row in rows[:MOST_NAMES]]
    table = confusion(detections, score_thr)[np.ix_([*chosen, -1], [*chosen, -1])]
    which = f', the {MOST_NAMES} most frequent names' if len(rows) > MOST_NAMES else ''
    return (f'<h3>Names</h3><p>Precision and recall at a score of {score_thr:g}.</p><div class="scroll"><table><tr>'
            '<th>name</th><th>objects</th><th>AP</th><th>AP50</th><th>precision</th><th>recall</th></tr>'
            f'{body}</table></div><h3>What is taken for what</h3><p>Detections with a score of {score_thr:g} or more, '
            f'paired with objects by place alone{which}. Shades are shares of the row.</p>'
            f'{figures.matrix(table, [detections.names[label] for label in chosen])}')


def _worst(detections: Detections, tested: TestedSet, score_thr: float) -> Iterable[str]:
    keys = ''.join(f'<span class="key" style="background: rgb{colour}"></span>{name}'
                   for name, colour in dict(right=RIGHT, **COLOURS).items())
    yield (f'<h3>The worst pictures</h3><p>Left the objects, missed ones red; right the detections with a score of '
           f'{score_thr:g} or more.</p><p>{keys}</p>')
    for picture, count in worst_pictures(detections, score_thr, MOST_WORST):
        caption = f'{escape(picture_name(picture.image))}: {count} errors'
        try:
            drawn = figures.picture(draw_pair(picture, detections.names, tested.images, score_thr), 1100)
        except (ValueError, OSError) as error:
            drawn = f'<p class="quiet">{escape(str(error))}</p>'
        yield f'<figure>{drawn}<figcaption>{caption}</figcaption></figure>'


# ---- the rest ----
def _shown_pictures(folder: Path) -> Iterable[str]:
    """Pictures that tools/test.py --show-dir drew: predictions, and the prompts of interactive tests."""
    shown = [path for place in sorted(folder.glob('*/*/vis_image')) + sorted(folder.glob('*/*'))
             if place.is_dir() and place.name != 'vis_data' for path in list_pictures(place)]
    if shown:
        yield '<h2>Pictures of the test</h2><p class="quiet">Some of those that --show-dir drew.</p><div class="row">'
        for path in dict.fromkeys(shown[::max(1, len(shown) // MOST_PICTURES)][:MOST_PICTURES]):
            yield (f'<figure>{figures.picture(read_picture(path), 520)}<figcaption>{escape(path.name)}</figcaption>'
                   '</figure>')
        yield '</div>'


def _training_parts(scalars: dict) -> Iterable[str]:
    groups = groups_of_losses(list(scalars))
    if groups:
        yield '<h2>Training</h2><p class="quiet">Losses as they were logged, means over some iterations.</p>'
        yield '<div class="row">'
        for title, names in groups.items():
            yield figures.curves({name: scalars[name] for name in names}, title)
        yield '</div>'


def _number(value) -> str:
    return '' if value is None else f'{value:.3f}' if isinstance(value, float) else str(value)

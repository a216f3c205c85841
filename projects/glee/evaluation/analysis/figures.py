"""Figures of a report, as SVG or PNG in text that a page embeds."""
import base64
import io
from typing import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

INK, BLUE, ORANGE, GREY = '#1f2933', '#2f6fde', '#e07b2a', '#c3cad2'
COLOURS = ('#2f6fde', '#e07b2a', '#2e9e6b', '#8a5cd1', '#c2497f', '#6b7a8c', '#b8962e', '#2aa3b8', '#7d4e2d', '#4d5cc4')


def figure(draw: Callable[[Axes], None], width: float = 6., height: float = 3.2) -> str:
    """An ``<img>`` of what ``draw`` draws; sizes in inches of 100 px."""
    canvas = Figure((width, height), layout='constrained')
    axes = canvas.add_subplot()
    axes.spines[['top', 'right']].set_visible(False)
    axes.tick_params(colors=INK, labelsize=8)
    draw(axes)
    file = io.BytesIO()
    canvas.savefig(file, format='svg')
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}">'


def picture(image: np.ndarray, longest: int = 760) -> str:
    """An ``<img>`` of an RGB picture, made smaller where it is longer than ``longest`` px."""
    shown = Image.fromarray(image)
    shown.thumbnail((longest, longest))
    file = io.BytesIO()
    shown.save(file, 'JPEG', quality=82)
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}">'


def bars(names: Sequence[str], values: Sequence[float], notes: Sequence[str], what: str) -> str:
    """Horizontal bars, the first on top, with a note at the end of each."""

    def draw(axes: Axes) -> None:
        places = np.arange(len(names))[::-1]
        axes.barh(places, values, color=BLUE, height=0.62)
        axes.set_yticks(places, names)
        axes.set_xlabel(what, fontsize=8, color=INK)
        for place, value, note in zip(places, values, notes):
            axes.annotate(note, (value, place), (4, 0), textcoords='offset points', va='center', fontsize=8, color=INK)
        axes.margins(x=0.2)

    return figure(draw, height=0.6 + 0.32 * max(len(names), 2))


def matrix(table: np.ndarray, names: Sequence[str]) -> str:
    """Counts as shares of their row, darker for more; the last row and column are background."""
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    size = len(table)

    def draw(axes: Axes) -> None:
        axes.imshow(shares, cmap='Blues', vmin=0, vmax=1)
        axes.set_xticks(range(size), [*names, 'not found'], rotation=60, ha='right')
        axes.set_yticks(range(size), [*names, 'nothing there'])
        axes.set_xlabel('found as', fontsize=8)
        axes.set_ylabel('is', fontsize=8)
        for row in range(size if size <= 16 else 0):
            for column in range(size):
                if table[row, column]:
                    axes.text(column, row, str(table[row, column]), ha='center', va='center', fontsize=7,
                              color='white' if shares[row, column] > 0.55 else INK)

    side = min(3 + 0.36 * size, 11)
    return figure(draw, side, side * 0.86)


def reliability(means: np.ndarray, shares: np.ndarray, counts: np.ndarray) -> str:
    """Share that is right by score; the diagonal would be calibrated."""

    def draw(axes: Axes) -> None:
        width = 1 / len(means)
        axes.bar((np.arange(len(means)) + 0.5) * width, shares, width * 0.92, color=BLUE)
        axes.plot([0, 1], [0, 1], color=ORANGE, linewidth=1.2, linestyle='--')
        for place, (share, count) in enumerate(zip(shares, counts)):
            if count:
                axes.text((place + 0.5) * width, share + 0.015, f'{count}', ha='center', fontsize=7, color=INK)
        axes.set(xlim=(0, 1), ylim=(0, 1.08))
        axes.set_xlabel('score', fontsize=8)
        axes.set_ylabel('share that is right', fontsize=8)

    return figure(draw)


def recalls(rows: Sequence[dict]) -> str:
    """Share of the objects that are found, by the side of a square of their area."""
    rows = [row for row in rows if row['objects']]

    def draw(axes: Axes) -> None:
        places = np.arange(len(rows))
        axes.bar(places, [row['found'] for row in rows], 0.7, color=BLUE)
        axes.set_xticks(places, [f'{row["low"]:g}–{row["high"]:g}' if np.isfinite(row['high']) else f'≥ {row["low"]:g}'
                                 for row in rows])
        for place, row in zip(places, rows):
            axes.text(place, row['found'] + 0.015, f'{row["objects"]}', ha='center', fontsize=7, color=INK)
        axes.set_ylim(0, 1.08)
        axes.set_xlabel('side of the object, px', fontsize=8)
        axes.set_ylabel('found', fontsize=8)

    return figure(draw)


def curves(lines: dict[str, Sequence[tuple[int, float]]], title: str) -> str:
    """Values by iteration, logarithmic where all are positive and they spread."""

    def draw(axes: Axes) -> None:
        values = []
        for number, (name, points) in enumerate(lines.items()):
            steps, heights = zip(*points)
            values += heights
            axes.plot(steps, heights, color=COLOURS[number % len(COLOURS)], linewidth=1.1, label=name)
        if min(values) > 0 and max(values) > 20 * min(values):
            axes.set_yscale('log')
        axes.set_title(title, fontsize=9, loc='left', color=INK)
        axes.set_xlabel('iteration', fontsize=8)
        if len(lines) > 1:
            axes.legend(fontsize=6, frameon=False, ncols=2)

    return figure(draw, 4.6, 2.7)

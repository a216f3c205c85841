"""Where the labels of a picture go: next to their objects, never over each other, never outside."""
from typing import Callable, NamedTuple, Sequence


class Rectangle(NamedTuple):
    """Pixels x1 <= x < x2, y1 <= y < y2."""
    x1: int
    y1: int
    x2: int
    y2: int

    def overlaps(self, other: 'Rectangle') -> bool:
        """Whether both share a pixel."""
        return self.x1 < other.x2 and other.x1 < self.x2 and self.y1 < other.y2 and other.y1 < self.y2


def wrap(text: str, measure: Callable[[str], int], width: int) -> list[str]:
    """Lines of a text that are at most ``width`` px wide; a word that is wider is cut.

    Args:
        text: any text; line breaks count as blanks.
        measure: width of a text, px.
        width: px, at least that of one letter.
    """
    lines: list[str] = []
    for word in text.split():
        while word:
            joined = f'{lines[-1]} {word}' if lines else word
            if lines and measure(joined) <= width:
                lines[-1], word = joined, ''
                continue
            fits = len(word)
            while fits > 1 and measure(word[:fits]) > width:
                fits -= 1
            lines.append(word[:fits])
            word = word[fits:]
    return lines


def place_labels(boxes: Sequence[Sequence[float]], sizes: Sequence[tuple[int, int]],
                 picture: tuple[int, int]) -> list[Rectangle | None]:
    """A place for the label of each object, earlier objects first.

    A label lies above its object's box, below it, inside it at the top or the bottom, or slides along the box's left
    edge and then over the whole picture to the nearest free place.

    Args:
        boxes: (x1, y1, x2, y2) px of every object.
        sizes: (width, height) px of every label.
        picture: (height, width) px.

    Returns:
        list[Rectangle | None]: None for a label that finds no free place any more.
    """
    placed: list[Rectangle | None] = []
    for box, size in zip(boxes, sizes):
        taken = [place for place in placed if place is not None]
        free = (place for place in _candidates(box, size, picture)
                if not any(place.overlaps(other) for other in taken))
        placed.append(next(free, None))
    return placed


def _candidates(box: Sequence[float], size: tuple[int, int], picture: tuple[int, int]):
    """Places inside the picture, the best first."""
    (width, height), (picture_height, picture_width) = size, picture
    if width > picture_width or height > picture_height:
        return
    x1, y1, x2, y2 = (int(round(value)) for value in box)

    def at(x: int, y: int) -> Rectangle:
        x = min(max(x, 0), picture_width - width)
        y = min(max(y, 0), picture_height - height)
        return Rectangle(x, y, x + width, y + height)

    if y1 - height >= 0:
        yield at(x1, y1 - height)
    yield at(x1, y1)
    yield at(x1, y2)
    yield at(x2 - width, y1 - height)
    yield at(x1, y2 - height)
    yield from (at(x1, y) for y in range(y1, y2, max(height, 1)))
    grid = [(x, y) for y in range(0, picture_height - height + 1, max(height, 1))
            for x in range(0, picture_width - width + 1, max(width // 2, 1))]
    yield from (at(x, y) for x, y in sorted(grid, key=lambda place: (place[0] - x1)**2 + (place[1] - y1)**2))

"""Pictures of any number to one COCO file; a stopped run goes on where it was."""
import json
import os
from pathlib import Path
from typing import Callable, Iterable, Iterator, Mapping, Union

from rich.progress import track

from ..engine.checkpoints.durable_files import replacing
from ..structures.masks import area
from .image_result import ImageResult
from .inferencer import GLEEInferencer


class LabelledPictures:
    """What is known of each finished picture, a line of JSON each, beside the file that is to be written.

    A line is on the disk before the next picture is begun, so that whatever ends the program, only the picture it was
    at is done again. The first line says with which settings; others are refused.

    Args:
        out (str | Path): COCO file to write; the lines are in ``<out>.part``.
        settings (dict): what the labels depend on, of JSON's types.

    Raises:
        ValueError: there are lines made with other settings.
    """

    def __init__(self, out: Union[str, Path], settings: dict) -> None:
        self.out = Path(out)
        self.path = self.out.with_name(f'{self.out.name}.part')
        self.rows: dict[str, dict] = {}
        lines = self._whole_lines()
        if lines and json.loads(lines[0]) != settings:
            raise ValueError(f'{self.path} was begun with other settings; remove it, or write to another file')
        for line in lines[1:]:
            row = json.loads(line)
            self.rows[row['file_name']] = row
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self.path, 'a', encoding='utf-8')
        if not lines:
            self._write(settings)

    def add(self, file_name: str, result: ImageResult, category_ids: Mapping[str, int]) -> None:
        """Keep the objects of a picture."""
        objects = [dict(found, bbox=[round(value, 2) for value in found['bbox']], score=round(found['score'], 4),
                        area=area(found['segmentation']), iscrowd=0) for found in result.to_coco(0, dict(category_ids))]
        height, width = result.shape
        row = dict(file_name=file_name, height=height, width=width, objects=objects)
        self._write(row)
        self.rows[file_name] = row

    def finish(self, category_ids: Mapping[str, int], order: Iterable[str]) -> None:
        """Write the COCO file, pictures in ``order``, and remove the lines.

        Args:
            category_ids: name -> id.
            order: file names; those without a row are left out.
        """
        images, annotations = [], []
        for row in (self.rows[name] for name in order if name in self.rows):
            images.append(dict(id=len(images) + 1, file_name=row['file_name'], height=row['height'],
                               width=row['width']))
            annotations += [dict(found, id=len(annotations) + number, image_id=len(images))
                            for number, found in enumerate(row['objects'], 1)]
        content = dict(images=images, annotations=annotations,
                       categories=[dict(id=number, name=name) for name, number in category_ids.items()])
        self._file.close()
        with replacing(self.out) as file:
            file.write(json.dumps(content, ensure_ascii=False).encode())
        self.path.unlink()

    def _whole_lines(self) -> list[str]:
        """The complete lines of an earlier run; a last one that was being written is cut off."""
        if not self.path.is_file():
            return []
        content = self.path.read_bytes()
        whole = content[:content.rfind(b'\n') + 1]
        if len(whole) < len(content):
            os.truncate(self.path, len(whole))
        return whole.decode().splitlines()

    def _write(self, row: dict) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False) + '\n')
        self._file.flush()
        os.fsync(self._file.fileno())


def label_pictures(make_inferencer: Callable[[], GLEEInferencer], pictures: Iterable[Union[str, Path]],
                   root: Union[str, Path], thresholds: Mapping[str, float], out: Union[str, Path], settings: dict,
                   batch_size: int = 1) -> dict[str, str]:
    """Find objects of some names in pictures and write them as a COCO file with scores.

    Args:
        make_inferencer: called if there is a picture left to do.
        pictures: files below ``root``.
        root: the names of the pictures in the file are relative to it.
        thresholds: name -> lowest score.
        out: COCO file to write.
        settings: what else the labels depend on (model, weights), for a run that goes on.
        batch_size: pictures of one size that pass the model together.

    Returns:
        dict[str, str]: message of each picture that cannot be read; all others are in the file.

    Raises:
        ValueError: an earlier run that was stopped had other settings.
    """
    files = {Path(path).relative_to(root).as_posix(): str(path) for path in pictures}
    category_ids = {name: number for number, name in enumerate(thresholds, 1)}
    labelled = LabelledPictures(out, dict(settings, thresholds=dict(thresholds)))
    rest = {path: name for name, path in files.items() if name not in labelled.rows}
    errors: dict[str, str] = {}
    if rest:
        glee = make_inferencer()
        found = _results(glee, list(rest), thresholds, batch_size)
        for result in track(found, 'pictures', len(rest), transient=True):
            labelled.add(rest[result.path], result, category_ids)
        errors = glee.errors
    labelled.finish(category_ids, files)
    return errors


def _results(glee: GLEEInferencer, paths: list[str], thresholds: Mapping[str, float], batch_size: int
             ) -> Iterator[ImageResult]:
    """The objects above the threshold of their name."""
    for result in glee(paths, names=list(thresholds), score_thr=min(thresholds.values()), batch_size=batch_size,
                       stream=True):
        yield result[[row for row, (name, score) in enumerate(zip(result.names, result.scores))
                      if score >= thresholds[name]]]

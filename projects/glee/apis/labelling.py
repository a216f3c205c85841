"""Pictures of any number to one COCO file; a stopped run goes on where it was."""
import json
import os
from pathlib import Path
from typing import Callable, Iterable, Iterator, Mapping, NamedTuple, Optional, Union

from rich.progress import track

from ..engine.checkpoints.durable_files import replacing
from ..structures.masks import area
from .image_result import ImageResult
from .inferencer import GLEEInferencer


class PictureLabels(NamedTuple):
    """What was found in the picture ``path``: its row of the file, or the ``error`` for which it cannot be read.

    The row has ``height``, ``width`` px and ``objects``, entries of a COCO file without ids.
    """
    path: str
    row: Optional[dict] = None
    error: str = ''


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

    def add(self, file_name: str, row: dict) -> None:
        """Keep the row of a picture, as of ``PictureLabels``."""
        row = dict(file_name=file_name, **row)
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


class PictureLabeller:
    """Finds the objects of some names, each above the score of its name, with an inferencer.

    Args:
        glee: finds them.
        thresholds: name -> lowest score; their order numbers the categories from 1.
        batch_size: pictures of one size that pass the model together.
    """

    def __init__(self, glee: GLEEInferencer, thresholds: Mapping[str, float], batch_size: int = 1) -> None:
        self.glee, self.thresholds, self.batch_size = glee, dict(thresholds), batch_size
        self.category_ids = number_names(thresholds)

    def __call__(self, paths: list[str]) -> Iterator[PictureLabels]:
        """The labels of each picture, those that cannot be read last."""
        found = self.glee(paths, names=list(self.thresholds), score_thr=min(self.thresholds.values()),
                          batch_size=self.batch_size, stream=True)
        for result in found:
            yield PictureLabels(result.path, self._row(result))
        yield from (PictureLabels(path, error=message) for path, message in self.glee.errors.items())

    def _row(self, result: ImageResult) -> dict:
        kept = result[[row for row, (name, score) in enumerate(zip(result.names, result.scores))
                       if score >= self.thresholds[name]]]
        objects = [dict(found, bbox=[round(value, 2) for value in found['bbox']], score=round(found['score'], 4),
                        area=_area(found), iscrowd=0) for found in kept.to_coco(0, self.category_ids)]
        height, width = result.shape
        return dict(height=height, width=width, objects=objects)


def number_names(names: Iterable[str]) -> dict[str, int]:
    """Name -> category id of the file, from 1 in their order."""
    return {name: number for number, name in enumerate(names, 1)}


def label_pictures(make_inferencer: Callable[[], GLEEInferencer], pictures: Iterable[Union[str, Path]],
                   root: Union[str, Path], thresholds: Mapping[str, float], out: Union[str, Path], settings: dict,
                   batch_size: int = 1, ray: Optional[str] = None, workers: Optional[int] = None) -> dict[str, str]:
    """Find objects of some names in pictures and write them as a COCO file with scores.

    Args:
        make_inferencer: called if there is a picture left to do; with ``ray`` once in every worker.
        pictures: files below ``root``.
        root: the names of the pictures in the file are relative to it.
        thresholds: name -> lowest score.
        out: COCO file to write.
        settings: what else the labels depend on (model, weights), for a run that goes on.
        batch_size: pictures of one size that pass the model together.
        ray: None for this process alone, 'local' for workers on this machine, or the address of a Ray cluster, whose
            machines see the pictures and the weights by the same paths.
        workers: of Ray; by default one per GPU, or without any one per core.

    Returns:
        dict[str, str]: message of each picture that cannot be read; all others are in the file.

    Raises:
        ValueError: an earlier run that was stopped had other settings.
        ImportError: ``ray`` is asked for and not installed.
    """
    files = {Path(path).relative_to(root).as_posix(): str(path) for path in pictures}
    labelled = LabelledPictures(out, dict(settings, thresholds=dict(thresholds)))
    rest = {path: name for name, path in files.items() if name not in labelled.rows}
    errors: dict[str, str] = {}
    if rest:
        if ray is None:
            found = PictureLabeller(make_inferencer(), thresholds, batch_size)(list(rest))
        else:
            from .ray_labelling import label_on_ray
            found = label_on_ray(make_inferencer, list(rest), thresholds, batch_size, ray, workers)
        for labels in track(found, 'pictures', len(rest), transient=True):
            if labels.row is None:
                errors[labels.path] = labels.error
            else:
                labelled.add(rest[labels.path], labels.row)
    labelled.finish(number_names(thresholds), files)
    return errors


def _area(found: dict) -> float:
    """Pixels of the mask, or of the box where the model gives no masks."""
    if 'segmentation' in found:
        return area(found['segmentation'])
    return round(found['bbox'][2] * found['bbox'][3], 2)

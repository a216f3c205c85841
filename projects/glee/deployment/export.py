"""Files of a model: its image part and its text encoder as ONNX, each compared with the model before it is there."""
import json
import os
from pathlib import Path
from typing import Callable, NamedTuple, Sequence

import torch

from ..models.detectors.glee import GLEE
from ..models.language_models.clip_text_encoder import CLIPTextEncoder
from ..models.language_models.clip_tokenizer import build_clip_tokenizer
from .graphs import NamesGraph, SentencesGraph, TextGraph
from .recording import record, write_onnx
from .verification import Difference, verify, verify_package


class ExportedFile(NamedTuple):
    """A file that was written, and how it differs from the model."""
    path: Path
    difference: Difference


def export_image_model(model: GLEE, path: str | Path, names: Sequence[str] | None = None, sentences: bool = False,
                       sampler: str = 'grid_sample', scale: Sequence[int] | None = None,
                       package: str | Path | None = None) -> ExportedFile:
    """Write the image part as an ONNX file.

    Args:
        model: detector on the CPU, in eval mode.
        path: of the file.
        names: a vocabulary that becomes part of the file; without it the encoded names are inputs (``NamesGraph``).
        sentences: take sentences that mean one object each instead of names (``SentencesGraph``).
        sampler: how deformable attention reads maps, 'grid_sample', or 'gather' for runtimes whose GridSample is wrong.
        scale: short and long side to which the model's config resizes pictures, for the file's settings.
        package: also write a .pt2 package of ``torch.export``, of which encoded text is an input; it takes minutes.

    Raises:
        ValueError: names and sentences, or the file differs from the model: then there is none.
        ImportError: a package is missing.
    """
    if names is not None and sentences:
        raise ValueError('a file with names in it takes no sentences: give one of the two')
    require_packages()
    graph, encoder = (SentencesGraph if sentences else NamesGraph)(model).eval(), model.panoptic_head.text_encoder
    preprocessor = model.data_preprocessor
    settings = dict(kind='sentences' if sentences else 'names' if names is None else 'fixed names',
                    names=None if names is None else list(names), scale=None if scale is None else list(scale),
                    mean=preprocessor.mean.flatten().tolist(), std=preprocessor.std.flatten().tolist(),
                    divisor=preprocessor.pad_size_divisor, side=graph.side,
                    length=encoder.text_model.config.max_position_embeddings)
    baked = {}
    if names is not None:
        with torch.no_grad():
            features = encoder(names)
        baked = dict(name_embeds=features.pooled, fusion_tokens=features.valid_tokens)
    written = _checked(Path(path), lambda part: write_onnx(graph, sampler, part, json.dumps(settings), baked),
                       lambda part: verify(part, graph, tuple(baked.values())))
    if package is not None:
        _checked(Path(package), lambda part: torch.export.save(record(graph, sampler), str(part)),
                 lambda part: verify_package(part, graph))
    return written


def export_text_encoder(encoder: CLIPTextEncoder, path: str | Path) -> ExportedFile:
    """Write a text encoder as an ONNX file (``TextGraph``), on the CPU and in eval mode.

    Raises:
        ValueError: the file differs from the encoder: then there is none.
        ImportError: a package is missing.
    """
    require_packages()
    graph = TextGraph(encoder).eval()
    settings = json.dumps(dict(kind='text', template=encoder.template))
    return _checked(Path(path), lambda part: write_onnx(graph, 'grid_sample', part, settings, {}),
                    lambda part: verify(part, graph))


def save_tokenizer(encoder: CLIPTextEncoder, path: str | Path) -> None:
    """Write the tokenizer of a text encoder for the package ``tokenizers``."""
    build_clip_tokenizer(encoder.tokenizer).backend_tokenizer.save(str(path))


def require_packages() -> None:
    """Find a missing package before anything is computed.

    Raises:
        ImportError: one is missing.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ImportError(f'export needs the packages of requirements/export.txt ({error}): '
                          'pip install -r requirements/export.txt') from error


def _checked(path: Path, write: Callable[[Path], None], check: Callable[[Path], Difference | None]) -> ExportedFile:
    """Write to another name, and take the file's own only after the check."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'part.{path.name}')
    try:
        write(part)
        difference = check(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return ExportedFile(path, difference)

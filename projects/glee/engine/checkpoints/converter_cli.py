"""What the scripts in tools/model_converters have in common."""
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.logging import print_log
from safetensors.torch import save_file
from torch import Tensor

from projects.glee.models.language_models.clip_checkpoint import weights_file

from .conversion_report import ConversionReport
from .durable_files import write_checkpoint
from .safe_checkpoint import read_checkpoint

# Names under which projects store the weights inside a checkpoint.
_WRAPPERS = ('state_dict', 'model', 'module')


def converter_parser(description: str) -> ArgumentParser:
    """Parser with the arguments of every converter: source, destination, direction and report."""
    parser = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('src', type=Path, help='checkpoint to read (.pth, .bin, .safetensors)')
    parser.add_argument('dst', type=Path, help='file to write (.pth or .safetensors)')
    parser.add_argument('--reverse', action='store_true', help='from our names to the released ones')
    parser.add_argument(
        '--report', type=Path, metavar='FILE',
        help='also write what happened to each entry as a tab-separated table')
    return parser


def split_checkpoint(checkpoint: dict) -> tuple[dict[str, Tensor], list[str]]:
    """The weights of a checkpoint, bare or wrapped, and the names of what lies beside them.

    Raises:
        ValueError: there is something else than tensors among the weights; it is named.
    """
    wrapper = next((name for name in _WRAPPERS if isinstance(checkpoint.get(name), dict)), None)
    weights = checkpoint if wrapper is None else checkpoint[wrapper]
    others = [] if wrapper is None else [name for name in checkpoint if name != wrapper]
    strange = [str(name) for name, value in weights.items() if not isinstance(value, Tensor)]
    if strange or not weights:
        raise ValueError(f'no state dict: expected tensors by name, got {", ".join(strange[:5]) or "nothing"}')
    return dict(weights), others


def convert_file(args: Namespace,
                 convert: Callable[[dict[str, Tensor]], tuple[dict[str, Tensor], ConversionReport]],
                 wrap: Callable[[dict[str, Tensor]], dict] = dict) -> None:
    """Read ``args.src``, convert, write ``args.dst``, and report; a bad file ends the program.

    Args:
        args: of ``converter_parser``.
        convert: from weights to weights and report.
        wrap: from the new weights to the contents of the file.
    """
    try:
        if args.src.resolve() == args.dst.resolve():
            raise ValueError('source and destination are the same file')
        weights, others = split_checkpoint(read_checkpoint(weights_file(args.src)))
        converted, report = convert(weights)
    except (ValueError, OSError) as error:
        sys.exit(f'{args.src}: {error}')
    for name in others:
        report.add('dropped', name, '', 'not weights')
    args.dst.parent.mkdir(parents=True, exist_ok=True)
    if args.dst.suffix == '.safetensors':
        save_file(_unshared(converted), args.dst)
    else:
        write_checkpoint(wrap(converted), args.dst)
    if args.report:
        report.save(args.report)
    print_log(report.summary())
    print_log(f'{args.dst}: {len(converted)} entries from {len(weights)} of {args.src}')


def with_meta(args: Namespace, **meta) -> Callable[[dict[str, Tensor]], dict]:
    """Wraps weights as the runner's checkpoints are, with their origin."""
    return lambda weights: dict(state_dict=weights, meta=dict(source=args.src.name, **meta))


def strip_prefix(weights: dict[str, Tensor], prefixes: Sequence[str]) -> dict[str, Tensor]:
    """``weights`` without the first of ``prefixes`` that starts all their names."""
    for prefix in prefixes:
        if all(name.startswith(prefix) for name in weights):
            return {name.removeprefix(prefix): value for name, value in weights.items()}
    return weights


def _unshared(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copies of tensors stored under several names, which safetensors refuses."""
    seen: set[int] = set()
    result = {}
    for name, value in weights.items():
        result[name] = value.clone() if value.data_ptr() in seen else value.contiguous()
        seen.add(value.data_ptr())
    return result

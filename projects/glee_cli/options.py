"""Arguments that several sub-commands have, and what is made of them."""
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path


def add_model(parser: ArgumentParser) -> None:
    """``--model``, ``--weights``, ``--device``."""
    group = parser.add_argument_group('model')
    group.add_argument('--model', default='glee_r50', metavar='NAME|CONFIG',
                       help='glee_r50 (default), another name of configs/glee/metafile.yml, or a config that tests')
    group.add_argument('--weights', metavar='FILE',
                       help='checkpoint: one of ours, or a released GLEE file as it was downloaded')
    group.add_argument('--device', help="'cuda', 'cuda:1' or 'cpu'; by default a GPU where there is one")


def add_question(parser: ArgumentParser) -> None:
    """``--names`` and ``--expressions``."""
    group = parser.add_argument_group('what to look for')
    group.add_argument('--names', nargs='+', metavar='NAME', help="names, e.g. --names person 'traffic light'")
    group.add_argument('--expressions', nargs='+', metavar='TEXT',
                       help="sentences that mean one object each, e.g. --expressions 'the man in red'")
    group.add_argument('--text-bank', metavar='FILE',
                       help='encoded texts: read if the file exists, else those of this call are written to it')
    group.add_argument('--ask', metavar='QUESTION', help="for --language-model, e.g. --ask 'what would burn me?'")
    group.add_argument('--language-model', metavar='FOLDER',
                       help='that was trained over these weights (docs/language_model.md)')


def add_prompt(parser: ArgumentParser) -> None:
    """``--point``, ``--box``, ``--text``, ``--prompts``."""
    group = parser.add_argument_group('prompts (one object each; px of the original picture)')
    group.add_argument('--point', nargs='+', type=float, action='append', metavar=('X Y', 'SIGN'),
                       help='a point on an object; further --point X Y 1 or X Y -1 belong to the same object')
    group.add_argument('--box', nargs=4, type=float, action='append', metavar=('X1', 'Y1', 'X2', 'Y2'),
                       help='a box around an object')
    group.add_argument('--text', help='a sentence about the object of --point or --box')
    group.add_argument('--prompts', metavar='FILE.json',
                       help='a list of objects, each with points, boxes, polygons, scribbles or text')


def read_prompts(args: Namespace) -> list[dict]:
    """The prompted objects of the command line, as keywords of ``InteractiveSession.add``.

    Raises:
        ValueError: nothing or something contradictory is given.
        FileNotFoundError: there is no file of prompts.
    """
    if args.prompts is not None:
        if args.point or args.box or args.text:
            raise ValueError('give --prompts or --point, --box and --text, not both')
        return read_json_list(args.prompts)
    for point in args.point or ():
        if len(point) not in (2, 3):
            raise ValueError(f'--point takes X Y or X Y SIGN, got {len(point)} numbers')
    boxes = [dict(boxes=[box]) for box in args.box or ()]
    if len(boxes) > 1 and (args.point or args.text):
        raise ValueError('several --box are several objects: give their points and texts in --prompts FILE.json')
    prompt = dict(boxes[0] if len(boxes) == 1 else {})
    if args.point:
        prompt['points'] = args.point
    if args.text:
        prompt['text'] = args.text
    if not prompt and not boxes:
        raise ValueError('say where the object is: --point X Y, --box X1 Y1 X2 Y2, --text or --prompts FILE.json')
    return boxes if len(boxes) > 1 else [prompt]


def read_frame_prompts(args: Namespace) -> dict[int, list[dict]]:
    """The prompted objects of a video by frame: those of ``--frame``, or of a file that goes by frame.

    Raises:
        ValueError, FileNotFoundError: as of ``read_prompts``.
    """
    if args.prompts is not None and not (args.point or args.box or args.text):
        content = _read_json(args.prompts)
        if isinstance(content, dict) and content and all(key.isdigit() for key in content):
            return {int(frame): _objects(given, f'frame {frame} of {args.prompts}') for frame, given in content.items()}
    return {args.frame: read_prompts(args)}


def read_json_list(path: str) -> list[dict]:
    """A JSON file that holds a list of dicts, or one dict.

    Raises:
        ValueError: it holds something else; the file is named.
    """
    return _objects(_read_json(path), path)


def _read_json(path: str):
    try:
        return json.loads(Path(path).read_text(encoding='utf-8-sig'))
    except ValueError as error:
        raise ValueError(f'{path} is no JSON file: {error}') from error


def _objects(content, place: str) -> list[dict]:
    content = [content] if isinstance(content, dict) else content
    if not isinstance(content, list) or not content or not all(isinstance(entry, dict) for entry in content):
        raise ValueError(f'{place} must hold a list of objects, e.g. [{{"points": [[120, 80]]}}]')
    return content


def need_weights(args: Namespace) -> None:
    """Find a missing checkpoint before anything is built.

    Raises:
        ValueError: none is named.
        FileNotFoundError: the named one does not exist.
    """
    if args.weights is None:
        raise ValueError(f'name a checkpoint with --weights: {args.model} without one knows nothing')
    if not Path(args.weights).expanduser().is_file():
        raise FileNotFoundError(f'checkpoint {args.weights} does not exist')


def check_question(args: Namespace) -> None:
    """Find a question without a language model, or the other way round, before anything is built.

    Raises:
        ValueError: one of the two is missing.
        FileNotFoundError: there is no such folder.
    """
    if (args.ask is None) != (args.language_model is None):
        raise ValueError('--ask needs --language-model FOLDER, and the other way round (docs/language_model.md)')
    if args.language_model is not None and not Path(args.language_model).is_dir():
        raise FileNotFoundError(f'--language-model {args.language_model}: no such folder')


def make_inferencer(args: Namespace, **limits):
    """The ``GLEEInferencer`` of the model arguments and of ``--text-bank``; ``limits`` as of its constructor."""
    from projects.glee.apis import GLEEInferencer
    if getattr(args, 'language_model', None) is not None:
        limits['language_model'] = args.language_model
    bank = getattr(args, 'text_bank', None)
    if bank is None or Path(bank).exists():
        return GLEEInferencer(args.model, args.weights, args.device, text_bank=bank, **limits)
    glee = GLEEInferencer(args.model, args.weights, args.device, **limits)
    glee.save_names(bank, args.names or (), args.expressions or ())
    return glee


def report_errors(errors: dict[str, str]) -> bool:
    """Name what was left out, a line each; whether there is any."""
    import sys
    for name, message in errors.items():
        print(f'left out: {message if name in message else f"{name}: {message}"}', file=sys.stderr)
    return bool(errors)

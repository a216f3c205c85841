"""Serve a page on this machine where you find, segment and follow objects of your pictures and videos.

Examples:
    python tools/demo/app.py glee_mini work_dirs/quickstart/glee_mini.pth --names star 'red ring'
    python tools/demo/app.py glee_r50 GLEE_Lite_joint.pth --names person dog --stuff grass sky --port 8000
    python tools/demo/app.py glee_swin-l GLEE_Plus_joint.pth --language-model adapter/

Then open the printed address (http://127.0.0.1:7860 by default). Only this machine can; nothing leaves it, nothing is
downloaded, and what users give is removed an hour later, at the latest with the end of the program. Needs gradio:
pip install -e ".[demo]". More in docs/demo.md.
"""
import os
import shutil
import signal
import sys
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # from any folder, also beside another project with a `projects` folder

from projects.glee_cli.exits import ConfigError, one_line_errors  # noqa: E402
from projects.glee_cli.serving.limits import Limits  # noqa: E402
from projects.glee_cli.serving.ports import need_port  # noqa: E402
from projects.glee_cli.startup import program  # noqa: E402

PICTURES = 'data/miniworld/coco/val2017'


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('model', help='glee_r50, another name of configs/glee/metafile.yml, or a config that tests')
    parser.add_argument('weights', help='checkpoint: one of ours, or a released GLEE file as it was downloaded')
    parser.add_argument('--port', type=int, default=7860, help='of the page (default %(default)s)')
    parser.add_argument('--names', nargs='+', default=[], metavar='NAME', help='names that the box holds at first')
    parser.add_argument('--stuff', nargs='+', default=[], metavar='NAME', help='the same of stuff (sky)')
    parser.add_argument('--examples', metavar='FOLDER',
                        help='pictures offered for a start; by default some that other packages brought, and of '
                             f'{PICTURES} where it is there')
    parser.add_argument('--whisper', metavar='FOLDER', help='a local Whisper model, for spoken sentences')
    parser.add_argument('--language-model', metavar='FOLDER',
                        help='that was trained over these weights (docs/language_model.md), for the tab Ask')
    parser.add_argument('--carve-radius', type=float, default=0., help='obey points, see docs/PROMPTS.md (default: 0)')
    parser.add_argument('--device', help="'cuda', 'cuda:1' or 'cpu'; by default a GPU where there is one")
    Limits.add_arguments(parser)
    args = parser.parse_args()
    if not Path(args.weights).expanduser().is_file():
        parser.error(f'checkpoint {args.weights} does not exist')
    for option in ('whisper', 'examples', 'language-model'):
        folder = getattr(args, option.replace('-', '_'))
        if folder and not Path(folder).is_dir():
            parser.error(f'--{option} {folder}: there is no such folder')
    try:
        args.limits = Limits.of_arguments(args)
    except ValueError as error:
        parser.error(str(error))
    return args


def import_gradio():
    """gradio, told to stay offline.

    Raises:
        ConfigError: it is not installed.
    """
    os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'
    os.environ.setdefault('HF_HUB_OFFLINE', '1')
    try:
        import gradio
    except ImportError as error:
        raise ConfigError('tools/demo/app.py needs gradio: in the checkout run pip install -e ".[demo]" or '
                          'pip install -r requirements/demo.txt') from error
    return gradio


def example_pictures(args: Namespace, folder: Path) -> list[tuple[Path, str]]:
    """(copy in ``folder``, names) of pictures for a start: some photographs, and drawings for the mini model."""
    import gradio.media
    import matplotlib

    from projects.glee.datasets.store.pictures import list_pictures
    drawings = ROOT / PICTURES
    if args.examples:
        shown = [(path, ', '.join(args.names)) for path in list_pictures(args.examples)[:16]]
    else:
        shown = [(path, 'star, ring, circle, heart, square, triangle')
                 for path in (list_pictures(drawings)[:4] if drawings.is_dir() else ())]
        shown += [(gradio.media.MEDIA_ROOT / 'images/cheetah1.jpg', 'cheetah'),
                  (gradio.media.MEDIA_ROOT / 'images/lion.jpg', 'lion'),
                  (gradio.media.MEDIA_ROOT / 'images/tower.jpg', 'tower, tree'),
                  (Path(matplotlib.get_data_path()) / 'sample_data/grace_hopper.jpg', 'person, hat, tie, flag')]
    copies = []
    for number, (path, names) in enumerate(shown):
        if path.is_file():  # a page may only show files of its own folder
            copies.append((Path(shutil.copy(path, folder / f'example_{number}{path.suffix}')), names))
    return copies


def serve(args: Namespace, folder: str) -> None:
    """Build the model and serve the page until Ctrl-C; files of users lie in ``folder``."""
    try:
        need_port(args.port)
    except ValueError as error:
        raise ConfigError(error) from error
    os.environ['GRADIO_TEMP_DIR'] = tempfile.tempdir = folder
    import_gradio()
    from desk import Desk
    from page import CSS, build_page, make_theme

    from projects.glee.apis import GLEEInferencer, WhisperTranscriber
    try:
        glee = GLEEInferencer(args.model, args.weights, args.device, language_model=args.language_model)
        transcriber = WhisperTranscriber(args.whisper) if args.whisper else None
    except (ValueError, OSError, ImportError) as error:
        raise ConfigError(error) from error
    desk = Desk(glee, args.limits, transcriber, args.carve_radius, args.names, args.stuff,
                example_pictures(args, Path(folder)), Path(folder))
    build_page(desk).launch(
        server_name='127.0.0.1', server_port=args.port, share=False, show_error=False, ssr_mode=False, pwa=False,
        theme=make_theme(), css=CSS, max_file_size=int(args.limits.megabytes * 2**20), state_session_capacity=16)


def main() -> None:
    args = parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does, with the files removed
    with program(), one_line_errors(), tempfile.TemporaryDirectory(prefix='glee_demo_') as folder:
        serve(args, folder)


if __name__ == '__main__':
    main()

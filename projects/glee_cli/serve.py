"""Serve a model over HTTP: detect, sessions of clicks, track.

Examples:
    glee serve --weights glee_lite.pth
    glee serve --model glee_mini --weights work_dirs/quickstart/glee_mini.pth --port 8001 --max-megapixels 12

The address itself shows a page about all requests, /openapi.json is for programs. Only this machine can ask, unless
--host says otherwise: there is no password. Needs FastAPI: pip install -e ".[serve]". More in docs/demo.md.
"""
from argparse import ArgumentParser, Namespace

from .options import add_model, make_inferencer, need_weights
from .serving.limits import Limits
from .serving.ports import need_port


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee serve``."""
    add_model(parser)
    parser.add_argument('--host', default='127.0.0.1', help='address to listen at (default %(default)s)')
    parser.add_argument('--port', type=int, default=8000, help='default %(default)s')
    parser.add_argument('--max-sessions', type=int, default=16, metavar='N',
                        help='pictures that are kept for clicks; the oldest go first (default %(default)s)')
    Limits.add_arguments(parser)


def run(args: Namespace) -> bool:
    """Until Ctrl-C; never leaves anything out."""
    limits = Limits.of_arguments(args)
    if args.max_sessions < 1:
        raise ValueError('--max-sessions must be 1 or more')
    need_weights(args)
    need_port(args.port, args.host)
    try:
        import multipart  # noqa: F401  (FastAPI reads forms with it)
        import uvicorn

        from .serving.service import build_service
    except ImportError as error:
        raise ImportError('glee serve needs FastAPI: in the checkout run pip install -e ".[serve]" or pip install -r '
                          f'requirements/serve.txt ({error})') from error
    service = build_service(make_inferencer(args), limits, args.max_sessions)
    print(f'serving on http://{args.host}:{args.port}', flush=True)
    uvicorn.run(service, host=args.host, port=args.port, log_level='warning')
    return False


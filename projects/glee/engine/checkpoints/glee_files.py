"""Released GLEE checkpoints as files: converted to a file of ours or back."""
from argparse import Namespace
from functools import partial

from .converter_cli import convert_file, with_meta
from .official_keys import convert_state_dict, revert_state_dict, strip_wrapper, wrap_official


def convert_glee_file(args: Namespace, wrapped: bool = False) -> None:
    """Convert ``args.src`` to ``args.dst``; a bad file ends the program with its name.

    Args:
        args: of ``converter_parser``, and ``size``.
        wrapped: with ``args.reverse``, write names with 'glee.' inside 'model', as the original's training expects
            them, instead of bare ones.
    """
    if args.reverse:
        convert_file(args, partial(revert_state_dict, size=args.size), wrap_official if wrapped else dict)
    else:
        convert_file(args, lambda weights: convert_state_dict(strip_wrapper(weights), args.size),
                     with_meta(args, size=args.size))

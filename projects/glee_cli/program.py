"""Arguments to a sub-command, errors to one line and an exit code."""
import sys
import traceback
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import NoReturn, Optional, Sequence

from . import analyse, check, click, convert, export, finetune, info, label, predict, serve, track
from .exits import OK, SOME_FAILED, UNEXPECTED, WRONG_USE
from .startup import program

COMMANDS = dict(predict=predict, track=track, click=click, label=label, check=check, finetune=finetune,
                analyse=analyse, serve=serve, convert=convert, export=export, info=info)
EPILOG = """exit codes:
  0  everything was done
  1  an error that is not the user's (run again with --debug and report it)
  2  wrong arguments, or a file, checkpoint or config that cannot be used; one line says which
  3  done, but some pictures or frames were left out, or data must be mended; each is named
"""


class _Parser(ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """End the program with code 2."""
        self.exit(WRONG_USE, f'{self.prog}: {message}; see {self.prog} --help\n')


def make_parser() -> ArgumentParser:
    """The parser of all sub-commands; imports nothing of the model."""
    parser = _Parser(prog='glee', description='Find, segment, name and track any object from any prompt.',
                     epilog=EPILOG, formatter_class=RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.__doc__.splitlines()[0].rstrip('.'),
                                      description=module.__doc__, formatter_class=RawDescriptionHelpFormatter)
        module.add_arguments(command)
        command.add_argument('--debug', action='store_true', help='show the traceback of an error')
    return parser


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the program.

    Args:
        arguments: words of the command line; by default those of this process.

    Returns:
        int: the exit code, see ``EPILOG``.
    """
    for stream in (sys.stdout, sys.stderr):  # file names may be no text, terminals may lack letters
        if hasattr(stream, 'reconfigure'):
            stream.reconfigure(errors='backslashreplace')
    args = make_parser().parse_args(arguments)
    try:
        with program():
            return SOME_FAILED if COMMANDS[args.command].run(args) else OK
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, KeyError, IndexError, ImportError) as error:
        return _report(error, args, WRONG_USE)
    except Exception as error:
        return _report(error, args, UNEXPECTED)


def _report(error: Exception, args, code: int) -> int:
    if args.debug:
        traceback.print_exc()
    message = error.args[0] if isinstance(error, KeyError) and error.args else error
    lines = str(message).strip().splitlines() or [type(error).__name__]
    kind = '' if code == WRONG_USE else f'{type(error).__name__}: '
    print(f'glee {args.command}: {kind}{lines[0]}', *lines[1:3], sep='\n  ', file=sys.stderr)
    return code

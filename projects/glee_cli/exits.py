"""How our programs end: an exit code per kind of error, and one line instead of a traceback."""
import os
import sys
from contextlib import contextmanager
from typing import Iterator

OK, UNEXPECTED, WRONG_USE, SOME_FAILED, MISSING_DATA = range(5)


class ConfigError(ValueError):
    """A config, or an option that changes it, cannot be meant; the message is one line for the user."""

    code = WRONG_USE


class MissingData(ConfigError):
    """Files that a config needs are not there; the message is a table of them."""

    code = MISSING_DATA


@contextmanager
def one_line_errors(debug: bool = False) -> Iterator[None]:
    """End the program with the message of a ``ConfigError`` and its code; the traceback only with ``debug``.

    Of several processes the first one tells all, the others a line.
    """
    try:
        yield
    except ConfigError as error:
        if debug:
            raise
        rank = os.environ.get('RANK', '0')
        text = f'error: {error}' if rank == '0' else f'process {rank}: error: {str(error).splitlines()[0]}'
        print(text, file=sys.stderr)
        raise SystemExit(error.code) from None

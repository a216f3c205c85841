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

    Of several processes the first one speaks.
    """
    try:
        yield
    except ConfigError as error:
        if debug:
            raise
        if os.environ.get('RANK', '0') == '0':
            print(f'error: {error}', file=sys.stderr)
        raise SystemExit(error.code) from None

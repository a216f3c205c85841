"""What of a log a person sees: the file has everything, the console one short line for what happens."""
import io
import logging
import sys
from contextlib import contextmanager, redirect_stdout
from typing import Iterator, Optional, TextIO

from mmengine.logging import MMLogger

# Of mmengine these speak of what happens; the others describe the machine, the config, hooks and options.
_HEARD = ('mmengine.hooks.logger_hook', 'mmengine.hooks.checkpoint_hook')
# mmdet's metrics say each number twice.
_UNHEARD = ('Exp name', 'Evaluating ', 'bbox_mAP_copypaste', 'segm_mAP_copypaste', 'mAP_copypaste')
_CHATTER = ('loading annotations into memory', 'Done (t=', 'creating index', 'index created')
# Warnings of mmengine about its own names.
_KNOWN_WARNINGS = ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias')
# mmengine warns of each parameter that a config freezes.
_FROZEN = 'is skipped since its requires_grad=False'


class LogLine(str):
    """A line of the log file.

    Attributes:
        short (str): what the console shows in its place; nothing if it is empty.
    """

    def __new__(cls, text: str, short: str) -> 'LogLine':
        line = super().__new__(cls, text)
        line.short = short
        return line


def is_terminal() -> bool:
    """Whether a person watches, to whom a progress bar can be shown."""
    return sys.stdout.isatty()


@contextmanager
def without_chatter() -> Iterator[None]:
    """What is printed meanwhile is shown without what pycocotools says while it reads a file."""
    stream = _WithoutChatter(sys.stdout)
    try:
        with redirect_stdout(stream):
            yield
    finally:
        stream.close()


class _WithoutChatter(io.TextIOBase):
    """Hands whole lines on to ``target``, but for ``_CHATTER``."""

    def __init__(self, target: TextIO) -> None:
        self.target, self.line = target, ''

    def write(self, text: str) -> int:
        """See ``io.TextIOBase``."""
        *lines, self.line = (self.line + text).split('\n')
        for line in lines:
            if not line.startswith(_CHATTER):
                self.target.write(f'{line}\n')
        return len(text)

    def flush(self) -> None:
        """See ``io.TextIOBase``."""
        self.target.flush()

    def isatty(self) -> bool:
        """See ``io.TextIOBase``."""
        return self.target.isatty()

    def close(self) -> None:
        """The end of a line that has none is not lost."""
        self.target.write(self.line)
        self.line = ''


@contextmanager
def tables_only() -> Iterator[None]:
    """What pycocotools prints goes to the log, and of it only its tables to the console."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            yield
    finally:
        text = printed.getvalue().rstrip()
        table = '\n'.join(line for line in text.splitlines() if 'Average ' in line or '*' in line)
        if text:
            MMLogger.get_current_instance().info(LogLine(f'\n{text}', table and f'\n{table}'))


def quieten(logger: MMLogger) -> None:
    """Let the console of a logger show what a person reads; its file is as it was. Of level DEBUG all is shown."""
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler and handler.level > logging.DEBUG:
            handler.addFilter(_shown)
            handler.setFormatter(_ConsoleFormatter())


class _ConsoleFormatter(logging.Formatter):
    """Time and text; of a ``LogLine`` the short form."""

    def __init__(self) -> None:
        super().__init__('%(asctime)s %(message)s', '%H:%M:%S')

    def formatMessage(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``."""
        text = getattr(record.msg, 'short', None) or record.message
        kind = f'{record.levelname.lower()}: ' if record.levelno >= logging.WARNING else ''
        return f'{record.asctime} {kind}{text}'


def _shown(record: logging.LogRecord) -> bool:
    if record.levelno >= logging.WARNING:
        message = record.getMessage()
        return not (message.startswith(_KNOWN_WARNINGS) or message.endswith(_FROZEN))
    if isinstance(record.msg, LogLine):
        return bool(record.msg.short)
    origin = _origin() or ''
    return (not origin.startswith('mmengine.') or origin in _HEARD) and not record.getMessage().startswith(_UNHEARD)


def _origin() -> Optional[str]:
    """The module that logs; records of ``print_log`` name mmengine's logging instead."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get('__name__', '')
        if name != __name__ and name.partition('.')[0] != 'logging' and not name.startswith('mmengine.logging'):
            return name
        frame = frame.f_back
    return None

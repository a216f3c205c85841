"""What mmengine logs."""
import logging
from contextlib import contextmanager
from typing import Iterator, List
from unittest import mock

from mmengine.logging import MMLogger


@contextmanager
def captured_log() -> Iterator[List[str]]:
    """Messages of mmengine's loggers (which do not propagate, so pytest misses them)."""
    messages: List[str] = []

    def record_message(logger: MMLogger, record: logging.LogRecord) -> None:
        messages.append(record.getMessage())

    with mock.patch.object(MMLogger, 'callHandlers', record_message):
        yield messages

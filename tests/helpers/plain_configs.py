"""Dumps of configs without a layout."""
from unittest import mock


def checked(text: str, **style) -> tuple[str, bool]:
    """The text as it came, compiled, so that a config which cannot be dumped is found."""
    compile(text, 'config', 'exec')
    return text, False


def plain_config_text():
    """A patch of the layout that mmengine gives the text of a config; in force from here until ``stop``.

    Every runner has its config laid out by yapf several times. For a large one that takes many seconds.
    """
    patch = mock.patch('yapf.yapflib.yapf_api.FormatCode', checked)
    patch.start()
    return patch

"""Runs scripts of tools/ in this process."""
import runpy
import sys
from unittest import mock

from paths import TOOLS


def run_tool(script: str, *arguments) -> None:
    """Run ``tools/<script>`` as a program with ``arguments``; SystemExit if it ends with an error."""
    with mock.patch.object(sys, 'argv', [script, *map(str, arguments)]):
        runpy.run_path(str(TOOLS / script), run_name='__main__')

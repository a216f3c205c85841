"""Convert a released GLEE checkpoint to this project's names, or back.

Examples:
    glee convert GLEE_Lite_joint.pth glee_lite.pth --size lite
    glee convert glee_lite.pth GLEE_Lite.pth --size lite --reverse

Programs and the other commands take released files as they are: converting saves the seconds of doing it each time.
"""
from argparse import ArgumentParser, Namespace
from pathlib import Path


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee convert``."""
    parser.add_argument('src', type=Path, help='file to read')
    parser.add_argument('dst', type=Path, help='file to write: .pth or .safetensors')
    parser.add_argument('--size', choices=('lite', 'plus', 'pro'), required=True, help='which GLEE it is')
    parser.add_argument('--reverse', action='store_true', help='from our names to the released ones')
    parser.add_argument('--report', type=Path, metavar='FILE', help='write what happened to each entry')


def run(args: Namespace) -> bool:
    """Never leaves anything out."""
    from projects.glee.engine.checkpoints.glee_files import convert_glee_file
    convert_glee_file(args)
    return False

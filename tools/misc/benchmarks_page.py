"""Write docs/benchmarks.md from the table of benchmarks, the paper's numbers and the table of data sources.

Example:
    python tools/misc/benchmarks_page.py
"""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from projects.glee_cli.benchmark.page import write_page

PAGE = Path(__file__).resolve().parents[2] / 'docs/benchmarks.md'


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=PAGE, metavar='FILE.md', help='default docs/benchmarks.md')
    return parser.parse_args()


if __name__ == '__main__':
    write_page(parse_args().out)

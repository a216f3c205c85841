"""The program ``glee`` from a checkout; ``python tools/glee.py --help`` lists what it does."""
import sys

from projects.glee_cli import main

if __name__ == '__main__':
    sys.exit(main())

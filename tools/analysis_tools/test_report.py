"""Write report.html into the work folder of a finished test; the same as ``glee analyse``, see its --help."""
import sys

from projects.glee_cli.program import main

if __name__ == '__main__':
    sys.exit(main(['analyse', *sys.argv[1:]]))

"""Run the command line: `python -m reviewdata`."""

import sys

from reviewdata.cli import main

if __name__ == "__main__":
    sys.exit(main())

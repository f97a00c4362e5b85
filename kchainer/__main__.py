"""python -m kchainer."""

import sys

from kchainer.cli import main

if __name__ == "__main__":
    sys.exit(main())

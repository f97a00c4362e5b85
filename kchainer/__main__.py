"""python -m kchainer."""

import sys

try:
    from kchainer.cli import main

    if __name__ == "__main__":
        sys.exit(main())
except KeyboardInterrupt:  # while it was still being imported
    sys.exit(130)

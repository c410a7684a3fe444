"""`python -m cftrain` is the same program as `cftrain`."""

import sys

from cftrain.cli import entry

if __name__ == "__main__":
    sys.exit(entry())

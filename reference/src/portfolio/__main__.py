"""`python -m portfolio` is the same as `portfolio`."""

import sys

from portfolio.cli import main

if __name__ == "__main__":
    sys.exit(main())

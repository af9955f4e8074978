"""Make `python -m acceleray` the same as `acceleray`."""

import sys

from acceleray.cli import main

sys.exit(main())

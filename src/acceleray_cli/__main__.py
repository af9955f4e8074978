"""Make `python -m acceleray` the same as `acceleray`."""

import sys

from acceleray_cli.cli import main

sys.exit(main())

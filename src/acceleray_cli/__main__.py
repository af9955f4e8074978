"""Make `python -m acceleray_cli` the same as `acceleray`."""

import sys

from acceleray_cli.cli import main

sys.exit(main())

"""`python -m tui` is `photinus`."""

import sys

from tui.cli import main

sys.exit(main())

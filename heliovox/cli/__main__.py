"""`python -m heliovox.cli` is `heliovox`."""

import sys

from heliovox.cli.main import main

sys.exit(main())

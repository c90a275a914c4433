"""`python -m audiostretchy` is the program."""

import sys

from . import _main

sys.exit(_main())

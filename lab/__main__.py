"""``python -m lab``."""

import sys

from core import lifeline
from lab.cli import main

if __name__ == "__main__":
    lifeline.hold()
    sys.exit(main())

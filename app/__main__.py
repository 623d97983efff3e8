"""``python -m app`` is the command ``haidang``."""

from app.cli import main

main()

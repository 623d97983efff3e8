"""Measurements against peers, each in a process of its own, all in one run: ``python -m lab bench``."""

"""A simulated sector of 30 sites whose devices really send; run as ``python -m lab``."""

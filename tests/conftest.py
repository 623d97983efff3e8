"""Tests run against the packages of this checkout and no others."""

from core.guard import check_layout

check_layout()

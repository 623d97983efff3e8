"""Dashboards built from code. The first boards come with the series store."""

"""The only wiring: which part hands what to which, as processes and commands."""

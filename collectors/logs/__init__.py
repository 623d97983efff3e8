"""Logs: syslog over UDP, TCP and RELP, received, taken apart and made into events."""

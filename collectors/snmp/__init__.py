"""SNMP polling: profiles, sessions, what a device is, one cycle of it, its pace, its counters and its states."""

"""The SNMP lane's parts: which devices are polled with what, what becomes of readings, and what is known of devices."""

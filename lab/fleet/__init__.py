"""The SNMP devices of a whole sector, answered by one process at 127.x.y.z; run as ``python -m lab fleet``."""

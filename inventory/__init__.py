"""What the sector owns: units, sites, devices and prefixes; whose an address is; who may do what."""

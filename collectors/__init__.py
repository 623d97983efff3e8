"""One folder a kind of input. Collectors turn what arrives into events and never judge it."""

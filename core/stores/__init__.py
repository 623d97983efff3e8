"""Where things are kept: the spool and partitions of events, the state database, the outbox of a lane."""

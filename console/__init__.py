"""The web console: the queue of incidents and what people do with them. It reads; every write goes to the centre."""

"""The Sigma engine: which rules an event meets, and the alert of each."""

"""The compiled Sigma engine: rules as expressions over shared atoms, one program for each kind of event."""

"""What every part knows: records, settings, errors, clock, metrics, audit, relay, stores."""

"""From rule hits to alerts, and from alerts to incidents: one for each cause and root object."""

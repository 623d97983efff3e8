"""Events by HTTP: JSON lines, and what an Elasticsearch client or a Beat needs to deliver in bulk."""

"""The monthly report to leadership. The first template comes with the report's figures."""

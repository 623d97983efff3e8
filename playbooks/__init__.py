"""Responses to incidents, as CACAO 2.0 playbooks. The first books come with the response stage."""

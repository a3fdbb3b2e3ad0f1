"""Scenarios: tables of changes."""

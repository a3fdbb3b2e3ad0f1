"""Pupils grade by grade."""

"""Advice as one HTML page that needs no other file and runs nothing."""

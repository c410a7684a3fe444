"""Rows that are images: told and drawn as such, and not pixel by pixel."""

"""The files of the tables of results."""

"""Images of the user's: read from files, looked at, and declared."""

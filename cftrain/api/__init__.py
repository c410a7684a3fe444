"""What people import: the same work as that of the commands, called from Python."""

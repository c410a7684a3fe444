"""Numbers of tables and figures, apart from how they are shown."""

"""Where trainings are watched while they go on, besides our own tables."""

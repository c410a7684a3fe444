"""What every dataset, model and generator has to do."""

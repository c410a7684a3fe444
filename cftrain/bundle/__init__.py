"""A trained model as one folder that needs neither its results nor its data."""

"""Looking inside from end to end: explanations, features and dreams of runs."""

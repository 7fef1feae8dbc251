"""The commands, a file for each kind: parsing only; what is heavy is imported by who needs it."""

"""What leaves the command line: text on terminals, in files and in pipes."""

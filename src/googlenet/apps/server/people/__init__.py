"""What people send and are shown: files and tables, explanations, the page."""

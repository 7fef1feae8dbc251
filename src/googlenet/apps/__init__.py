"""What people touch: the jobs end to end, the command line and the report."""

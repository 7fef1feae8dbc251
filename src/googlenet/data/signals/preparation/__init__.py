"""From signals as they are to what a network reads."""

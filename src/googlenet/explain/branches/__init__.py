"""What passes through the branches of Inception modules, and what is lost without them."""

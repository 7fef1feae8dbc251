"""What a network is, as data: architectures, what they cost, and the paper's table. No tensor in sight."""

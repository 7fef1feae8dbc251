"""What a network looks for: inputs that excite a part of it the most, drawn and found."""

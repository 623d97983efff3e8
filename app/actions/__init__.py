"""What people may ask of the centre; ``table`` names every action."""

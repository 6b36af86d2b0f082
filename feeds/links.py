"""Links that only those know whom a person gave them to: made, listed, rotated, and how to find what they open."""

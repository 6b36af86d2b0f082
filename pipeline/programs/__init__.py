"""What runs: the programs of an installation."""

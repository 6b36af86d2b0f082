"""What runs: the programs of an installation, and what they all work on."""

"""The operator's own: what is wrong with the installation, told once, and that all goes on."""

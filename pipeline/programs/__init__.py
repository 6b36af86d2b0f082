"""The programs of an installation, and the sources that they work on."""

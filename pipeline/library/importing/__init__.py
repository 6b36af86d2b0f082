"""Files that hold a library, and the lines of them that wait for a person."""

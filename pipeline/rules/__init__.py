"""Applies files of rules: what people wrote, what there is, and how the one becomes the other."""

"""Fetch sounds: take an extraction that is due, carry it from stage to stage, and go on where another was killed."""

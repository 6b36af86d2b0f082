"""Ways to PostgreSQL that hold no SQL of a subject: connecting, migrating, writing many rows, the lead."""

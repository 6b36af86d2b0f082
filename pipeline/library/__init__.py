"""What people own, play and finished: imported, synced, written by hand, and what follows for what they are told."""

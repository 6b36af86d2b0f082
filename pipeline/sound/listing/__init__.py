"""What commands and pages read of sounds."""

"""What commands show of collections."""

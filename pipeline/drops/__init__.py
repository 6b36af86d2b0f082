"""Drop campaigns, reward campaigns and chat badges."""

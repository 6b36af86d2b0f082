"""What subscriptions want: conditions, what events have, and the keys by which these find those."""

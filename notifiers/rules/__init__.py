"""Rules in a file: targets, subscriptions and follows that a person writes down, and what the database has of them."""

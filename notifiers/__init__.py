"""Messages: matches events to subscriptions, and sends each delivery that is due to its target."""

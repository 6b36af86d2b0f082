"""When a target wants its messages: quiet hours, digests, bursts, and what is pointless by then."""

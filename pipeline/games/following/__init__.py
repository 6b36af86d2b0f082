"""Which games are waited for, one by one or by lists."""

"""Steam's Web API: who an account is, and which games it has."""

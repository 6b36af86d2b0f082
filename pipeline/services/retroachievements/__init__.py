"""RetroAchievements: who an account is, and how far it has come in which games."""

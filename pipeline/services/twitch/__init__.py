"""The clients of Twitch: tokens, requests, shapes of answers, and the records that they are parsed into."""

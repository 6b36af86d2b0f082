"""Clients of services: tokens, requests, shapes of answers, and the records that they are parsed into."""

"""Celery tasks: each opens what it needs, calls one function, logs one line."""

"""What a process works with: settings, servers, logs, Celery, the supervisor of programs, output."""

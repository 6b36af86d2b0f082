"""Where campaigns come from: one module a source."""

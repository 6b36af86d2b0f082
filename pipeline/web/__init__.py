"""The program that serves: the published folder on one port, and on another what services and monitors call."""

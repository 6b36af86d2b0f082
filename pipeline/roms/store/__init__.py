"""The tables of collections, table by table."""

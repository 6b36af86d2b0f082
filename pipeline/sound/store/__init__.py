"""The tables of sounds, table by table."""

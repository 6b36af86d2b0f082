"""The tables of collections: folders, their files, the ROMs that these make, and DATs."""

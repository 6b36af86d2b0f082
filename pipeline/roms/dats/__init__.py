"""DATs: lists of what a set of ROMs should be, in four formats, recognised by their content. Pure and streaming."""

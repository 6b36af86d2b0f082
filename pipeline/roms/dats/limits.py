"""How much of a DAT is read before it is refused: several times what the largest real ones have. Pure.

MAME's list of all machines has 300 MB and 45,000 games, TOSEC's largest DAT 100,000 games.
"""

# Bytes of one DAT, unpacked.
MAX_BYTES = 2**30
# How many times as large as it is packed a DAT in a zip may be; real ones are up to 30 times.
MAX_RATIO = 200
MAX_GAMES = 1_000_000
MAX_ROMS = 10_000_000
# Of one game: a DOS game in a folder has some thousand files.
MAX_ROMS_OF_A_GAME = 200_000
# Elements or parentheses within each other; real ones are 6 deep.
MAX_DEPTH = 32
# Bytes that belong together: a line, a comment, an element's start.
MAX_TOKEN = 4 * 2**20
# Characters of a name, a version, a description; longer ones are cut.
MAX_TEXT = 4_000
MAX_ZIP_MEMBERS = 20_000
# Bytes at the end of a zip that list its members.
MAX_ZIP_DIRECTORY = 16 * 2**20

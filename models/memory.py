"""Memory that goes back to the system when it is no longer used."""

import ctypes

# https://man7.org/linux/man-pages/man3/mallopt.3.html
_M_MMAP_THRESHOLD = -3
# Larger than nearly all that a process keeps; what services answer at once is larger.
OWN_BLOCK_BYTES = 2**20


def give_back_memory() -> None:
    """Have this process and its forks give large blocks back as soon as they are free, where glibc would keep them.

    After the first free block of some megabytes glibc puts blocks as large among the small ones, where one small
    neighbour that stays keeps them from the system: a process that reads thirty megabytes ten times comes to hold
    hundreds. Entry points that run for long call it first. With another C library it does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, OWN_BLOCK_BYTES)

"""Threads with stacks that are large enough for what a service may send, whatever the C library would give them."""

import threading

# Python 3.13 lets libraries in C go ten thousand calls deep, for which msgspec takes up to 4 MiB on x86-64. With less,
# JSON that is nested so deep ends the process by SIGSEGV; with enough it is a RecursionError. Of a stack only what is
# used takes memory.
STACK_BYTES = 8 * 2**20


def give_threads_room() -> None:
    """Have threads that this process and its forks start from now on get the stacks that glibc usually gives them.

    With musl it would be 128 kB, or 1 MiB with Alpine's Python. Entry points that read what services send call it
    before they start a thread.
    """
    threading.stack_size(STACK_BYTES)

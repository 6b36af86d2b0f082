"""Which route does what a command does, and which of them have no other: a module a subject.

A subject's module has:

- `ROUTES`: each leaf command with its route, or several: `{"targets list": "GET /targets"}`;
- `WITHOUT`: each command that has no route, with the reason: `{"targets schema": "prints a file for editors"}`;
- `ALONE`: each route that no command is, with the reason: `{"GET /me": "the key says who asks"}`.

Each may be left out where it is empty. A command may be named by any module. A command or a route that no module names
fails `test_parity.py`; so does one that is named and not there. `PENDING` in that file names the subjects (a command's
first word, a route's tag) that are not looked at as long as no module here has that name; it has to become empty.
"""

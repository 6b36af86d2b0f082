"""Words about people that rows, commands and the API share."""

from typing import Literal, get_args

# A time as answers give it, with its zone.
# In the order of what they may: a guest reads and hears, a member has what is theirs, an owner has everything.
Role = Literal["guest", "member", "owner"]
Scope = Literal["read", "events", "follow", "targets", "library", "sounds", "extract", "play", "admin"]
# What a plan may put a price on.
Action = Literal["extraction", "play", "message"]
ACTIONS: tuple[Action, ...] = get_args(Action)
ROLES: tuple[Role, ...] = get_args(Role)
SCOPES: tuple[Scope, ...] = get_args(Scope)
# The scopes that a key of each role may have.
SCOPES_OF: dict[Role, frozenset[Scope]] = {
    "guest": frozenset({"read", "events", "play"}),
    "member": frozenset(SCOPES) - {"admin"},
    "owner": frozenset(SCOPES),
}

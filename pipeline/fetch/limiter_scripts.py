"""The limits' steps inside Redis: scripts in Lua, all times in microseconds of its own clock.

A number is written by `text`, because Lua would write one of this size with an exponent.
"""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(number) return string.format('%.0f', number) end
"""

# KEYS: next free slot, leases. ARGV: interval, patience, lease's name, most leases, lease's length, longest pause.
# Returns what stands in the way (0 nothing, 1 no lease is free, 2 the slot is too far ahead) and the wait for the slot.
RESERVE = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
-- A lease of before the clock was set back would hold its place until the clock is there again.
redis.call('ZREMRANGEBYSCORE', KEYS[2], text(now + 2 * ARGV[6] + ARGV[1] * ARGV[4] + ARGV[5]), '+inf')
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then
    return {{1, 0}}
end
local slot = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if slot - now > ARGV[6] + ARGV[1] * ARGV[4] then slot = now end
if slot - now > tonumber(ARGV[2]) then return {{2, slot - now}} end
redis.call('SET', KEYS[1], text(slot + ARGV[1]), 'PX', math.ceil((slot + ARGV[1] - now) / 1000) + 1000)
redis.call('ZADD', KEYS[2], text(slot + ARGV[5]), ARGV[3])
redis.call('PEXPIRE', KEYS[2], math.ceil((slot + ARGV[5] - now) / 1000))
return {{0, slot - now}}
"""

# KEYS: last starts, end of a pause. ARGV: how many a window may hold, the window, longest pause, name of the start.
# Returns the wait, 0 for "go".
START = f"""{_NOW}
local resumed = tonumber(redis.call('GET', KEYS[2]) or 0)
if resumed > now and resumed <= now + ARGV[3] then return resumed - now end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], text(now + ARGV[2]), '+inf')
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
    return redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] + ARGV[2] - now
end
redis.call('ZADD', KEYS[1], text(now), ARGV[4])
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000) + 1000)
return 0
"""

# KEYS: last starts. ARGV: name of a start, the window. Counts that start from now.
SENT = f"""{_NOW}
redis.call('ZADD', KEYS[1], 'XX', text(now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000) + 1000)
return 0
"""

# KEYS: next free slot, end of a pause. ARGV: the pause, the furthest that either of them can be ahead. Never brings
# either of them nearer.
HOLD_OFF = f"""{_NOW}
for _, key in ipairs(KEYS) do
    local later = tonumber(redis.call('GET', key) or 0)
    if later > now + ARGV[2] then later = 0 end
    later = math.max(later, now + ARGV[1])
    redis.call('SET', key, text(later), 'PX', math.ceil((later - now) / 1000) + 1000)
end
return 0
"""

# The last of ARGV: how long a request may be open.
_STATE = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], text(now + ARGV[#ARGV] + 1), '+inf')
local open = redis.call('ZCARD', KEYS[2])
local state = redis.call('HMGET', KEYS[1], 'points', 'limit', 'full_at')
"""

# KEYS: state, open requests. ARGV: name of the request, limit until the service gives one, its window, share that is
# left alone, fewest left alone, how long a request may be open. Returns the wait until the bucket is full, 0 if a point
# was taken.
TAKE = f"""{_STATE}
local limit = tonumber(state[2] or ARGV[2])
local points, full_at = tonumber(state[1] or limit), tonumber(state[3] or 0)
if full_at <= now or full_at > now + 2 * ARGV[3] then points, full_at = limit - open, now + ARGV[3] end
local left_alone = math.max(math.floor(limit * ARGV[4]), tonumber(ARGV[5]))
if points <= left_alone and points < limit then return full_at - now end
redis.call('HSET', KEYS[1], 'points', text(points - 1), 'limit', text(limit), 'full_at', text(full_at))
redis.call('PEXPIRE', KEYS[1], math.ceil((full_at - now) / 1000) + 1000)
redis.call('ZADD', KEYS[2], text(now + ARGV[6]), ARGV[1])
redis.call('PEXPIRE', KEYS[2], math.ceil(ARGV[6] / 1000))
return 0
"""

# KEYS: state, open requests. ARGV: limit ('' where none was given), points left, time until the bucket is full, how
# long a request may be open.
# The service may not have counted the open requests yet.
CORRECT = f"""{_STATE}
if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], 'limit', ARGV[1]) end
redis.call('HSET', KEYS[1], 'points', text(ARGV[2] - open), 'full_at', text(now + ARGV[3]))
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[3] / 1000) + 1000)
return 0
"""

# KEYS: until when each pace is used up. ARGV: for each its interval and how many at once. Takes all or none; returns
# the wait.
PACE = f"""{_NOW}
local wait, used_up = 0, {{}}
for i, key in ipairs(KEYS) do
    local interval, at_once = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local until_then = tonumber(redis.call('GET', key) or 0)
    -- Of before the clock was set back.
    if until_then > now + interval * at_once then until_then = now end
    wait = math.max(wait, until_then - interval * (at_once - 1) - now)
    used_up[i] = math.max(until_then, now) + interval
end
if wait > 0 then return math.ceil(wait) end
for i, key in ipairs(KEYS) do
    redis.call('SET', key, text(used_up[i]), 'PX', math.ceil((used_up[i] - now) / 1000) + 1000)
end
return 0
"""

# KEYS: until when a bucket is used up. ARGV: its interval, how many it holds, how many are wanted at most. Returns the
# wait, how many are left, in how long it is full again, and how many were taken.
DRAW = f"""{_NOW}
local interval, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local until_then = tonumber(redis.call('GET', KEYS[1]) or 0)
-- Of before the clock was set back, or of a larger bucket.
if until_then > now + interval * size then until_then = now + interval * size end
until_then = math.max(until_then, now)
local wait = until_then - interval * (size - 1) - now
if wait > 0 then return {{math.ceil(wait), 0, math.ceil(until_then - now), 0}} end
local there = math.max(1, math.floor((interval * size - (until_then - now)) / interval))
local taken = math.min(there, tonumber(ARGV[3]))
local later = until_then + interval * taken
redis.call('SET', KEYS[1], text(later), 'PX', math.ceil((later - now) / 1000) + 1000)
return {{0, there - taken, math.ceil(later - now), taken}}
"""

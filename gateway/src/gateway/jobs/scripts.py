"""The queue's rules, as Lua that Redis runs in one piece: nobody sees half a step, and none is done on an old lease.

Time is Redis' own, so that the workers' clocks do not matter. Keys are made from ids inside the scripts: one Redis (or
one master with replicas) serves, a Redis Cluster does not.
"""

from typing import Final

_PRELUDE: Final = """
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function analysis(id) return 'neurogate:analysis:' .. id end
local function tell(id, event, ttl_s)
  local stream = 'neurogate:events:' .. id
  redis.call('XADD', stream, 'MAXLEN', '~', 1000, '*', 'event', event)
  redis.call('EXPIRE', stream, ttl_s)
end
local function leave(id)
  redis.call('ZREM', 'neurogate:jobs:waiting', id)
  redis.call('ZREM', 'neurogate:jobs:delayed', id)
  redis.call('ZREM', 'neurogate:jobs:running', id)
end
local function holds(id, fence)
  local held = redis.call('HMGET', analysis(id), 'fence', 'state')
  return held[1] == fence and held[2] == 'running'
end
local function finish(id, state, document, event, ttl_s)
  local key = analysis(id)
  redis.call('HSET', key, 'state', state, 'document', document)
  redis.call('HDEL', key, 'order')
  redis.call('EXPIRE', key, ttl_s)
  redis.call('ZADD', 'neurogate:analyses', 0, id)
  leave(id)
  tell(id, event, ttl_s)
  if redis.call('HEXISTS', key, 'webhook_url') == 1 then
    local now = now_ms()
    redis.call('HSET', key, 'webhook_state', 'pending', 'webhook_tries', 0, 'webhook_at', now)
    redis.call('ZADD', 'neurogate:webhooks:due', now, id)
  end
end
"""

ACCEPT: Final = (
    _PRELUDE
    + """
-- id, document, order, event, rank base, most that may wait, ttl_s, ids that expired, claim, claim key, claim text, url
local id, key, ttl_s = ARGV[1], analysis(ARGV[1]), ARGV[7]
if redis.call('EXISTS', key) == 1 then return 1 end -- the command was sent twice
local waiting = redis.call('ZCARD', 'neurogate:jobs:waiting') + redis.call('ZCARD', 'neurogate:jobs:delayed')
if waiting >= tonumber(ARGV[6]) then return 0 end
local rank = string.format('%.0f', ARGV[5] + redis.call('INCR', 'neurogate:jobs:sequence'))
redis.call('HSET', key, 'state', 'queued', 'document', ARGV[2], 'order', ARGV[3], 'rank', rank,
  'tries', 0, 'fence', 0)
if ARGV[9] ~= '' then
  redis.call('HSET', key, 'claim', ARGV[9])
  redis.call('SET', ARGV[10], ARGV[11], 'EX', ttl_s)
end
if ARGV[12] ~= '' then redis.call('HSET', key, 'webhook_url', ARGV[12]) end
redis.call('EXPIRE', key, ttl_s)
redis.call('ZADD', 'neurogate:analyses', 0, id)
redis.call('ZREMRANGEBYLEX', 'neurogate:analyses', '-', ARGV[8])
redis.call('ZADD', 'neurogate:jobs:waiting', rank, id)
tell(id, ARGV[4], ttl_s)
return 1
"""
)

CANCEL: Final = (
    _PRELUDE
    + """
-- id, document, event, ttl_s
local key = analysis(ARGV[1])
local state = redis.call('HGET', key, 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
redis.call('HINCRBY', key, 'fence', 1)
finish(ARGV[1], 'canceled', ARGV[2], ARGV[3], ARGV[4])
return 1
"""
)

CLAIM: Final = (
    _PRELUDE
    + """
-- lease_ms, ttl_s
local now = now_ms()
for _, list in ipairs({'neurogate:jobs:running', 'neurogate:jobs:delayed'}) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', list, '-inf', now, 'LIMIT', 0, 100)) do
    redis.call('ZREM', list, id)
    local rank = redis.call('HGET', analysis(id), 'rank')
    if rank then redis.call('ZADD', 'neurogate:jobs:waiting', rank, id) end
  end
end
while true do
  local next = redis.call('ZPOPMIN', 'neurogate:jobs:waiting')
  if #next == 0 then return false end
  local id, key = next[1], analysis(next[1])
  local state = redis.call('HGET', key, 'state')
  if state == 'queued' or state == 'running' then
    local fence = redis.call('HINCRBY', key, 'fence', 1)
    local tries = redis.call('HINCRBY', key, 'tries', 1)
    redis.call('HSET', key, 'state', 'running')
    redis.call('EXPIRE', key, ARGV[2])
    redis.call('ZADD', 'neurogate:jobs:running', now + ARGV[1], id)
    return {id, fence, tries, redis.call('HGET', key, 'document'), redis.call('HGET', key, 'order')}
  end
end
"""
)

RENEW: Final = (
    _PRELUDE
    + """
-- id, fence, lease_ms, ttl_s
if not holds(ARGV[1], ARGV[2]) then return 0 end
redis.call('ZREM', 'neurogate:jobs:waiting', ARGV[1]) -- late, but before anybody else took it
redis.call('ZADD', 'neurogate:jobs:running', now_ms() + ARGV[3], ARGV[1])
redis.call('EXPIRE', analysis(ARGV[1]), ARGV[4])
return 1
"""
)

REPORT: Final = (
    _PRELUDE
    + """
-- id, fence, document, event, ttl_s
if not holds(ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', analysis(ARGV[1]), 'document', ARGV[3])
tell(ARGV[1], ARGV[4], ARGV[5])
return 1
"""
)

FINISH: Final = (
    _PRELUDE
    + """
-- id, fence, state, document, event, ttl_s, arrays
local key = analysis(ARGV[1])
local held = redis.call('HMGET', key, 'fence', 'state')
if held[1] ~= ARGV[2] then return 0 end
if held[2] == ARGV[3] then return 1 end -- the command was sent twice
if held[2] ~= 'running' then return 0 end
if ARGV[7] ~= '' then redis.call('HSET', key, 'arrays', ARGV[7]) end
finish(ARGV[1], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
return 1
"""
)

GIVE_BACK: Final = (
    _PRELUDE
    + """
-- id, fence, document, event, ttl_s, delay_ms, change of the tries
local id, key = ARGV[1], analysis(ARGV[1])
if not holds(id, ARGV[2]) then return 0 end
redis.call('HSET', key, 'state', 'queued', 'document', ARGV[3])
redis.call('HINCRBY', key, 'fence', 1)
redis.call('HINCRBY', key, 'tries', ARGV[7])
leave(id)
if tonumber(ARGV[6]) > 0 then
  redis.call('ZADD', 'neurogate:jobs:delayed', now_ms() + ARGV[6], id)
else
  redis.call('ZADD', 'neurogate:jobs:waiting', redis.call('HGET', key, 'rank'), id)
end
tell(id, ARGV[4], ARGV[5])
return 1
"""
)

REVIEW: Final = (
    _PRELUDE
    + """
-- id, the document as it was read, the same with one review more, how many it has then, artifacts that show them
local key = analysis(ARGV[1])
local document = redis.call('HGET', key, 'document')
if document == ARGV[3] then return 1 end -- the command was sent twice
if document ~= ARGV[2] then return 0 end -- erased, or somebody else wrote into it
redis.call('HSET', key, 'document', ARGV[3], 'reviews', ARGV[4])
for i = 5, #ARGV do redis.call('HDEL', key, 'artifact:' .. ARGV[i]) end
return 1
"""
)

TAKE_WEBHOOK: Final = (
    _PRELUDE
    + """
-- lease_ms
local now = now_ms()
while true do
  local due = redis.call('ZRANGEBYSCORE', 'neurogate:webhooks:due', '-inf', now, 'LIMIT', 0, 1)
  if #due == 0 then return false end
  local id, key = due[1], analysis(due[1])
  if redis.call('HEXISTS', key, 'webhook_url') == 1 then
    redis.call('ZADD', 'neurogate:webhooks:due', now + ARGV[1], id)
    local tries = redis.call('HINCRBY', key, 'webhook_tries', 1)
    local kept = redis.call('HMGET', key, 'webhook_url', 'state', 'webhook_at')
    return {id, tries, kept[1], kept[2], kept[3]}
  end
  redis.call('ZREM', 'neurogate:webhooks:due', id) -- erased, or expired
end
"""
)

SETTLE_WEBHOOK: Final = (
    _PRELUDE
    + """
-- id, tries, state, status, delay_ms
local id, key = ARGV[1], analysis(ARGV[1])
if redis.call('HGET', key, 'webhook_tries') ~= ARGV[2] then return 0 end -- erased, or somebody else called since
redis.call('HSET', key, 'webhook_state', ARGV[3], 'webhook_status', ARGV[4])
if ARGV[3] == 'pending' then
  redis.call('ZADD', 'neurogate:webhooks:due', now_ms() + ARGV[5], id)
else
  redis.call('ZREM', 'neurogate:webhooks:due', id)
  if ARGV[3] == 'dead' then redis.call('ZADD', 'neurogate:webhooks:dead', now_ms(), id) end
end
return 1
"""
)

REDELIVER_WEBHOOK: Final = (
    _PRELUDE
    + """
-- id
local id, key = ARGV[1], analysis(ARGV[1])
if redis.call('HEXISTS', key, 'webhook_at') == 0 then return 0 end
redis.call('HSET', key, 'webhook_state', 'pending', 'webhook_tries', 0)
redis.call('ZREM', 'neurogate:webhooks:dead', id)
redis.call('ZADD', 'neurogate:webhooks:due', now_ms(), id)
return 1
"""
)

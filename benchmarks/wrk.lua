-- Requests and measurements with wrk for benchmarks/load.py, which explains the method. One thread.
-- Arguments: file of requests, file for results, Authorization, kind of loop, schedule, number of the first request.
-- The kind is "closed", "open" or "summary"; the schedule is "seconds:requests a second,..." (only "open" has a rate).
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } instant; int clock_gettime(int clock, instant *now);")

local MONOTONIC = 1
local NEVER_MS = 86400000
local LATE_S = 0.005 -- timers have millisecond resolution: a request sent later than this counts from when it was due

local instant = ffi.new("instant")
local heads, tails = {}, {}
local closed, phases, ends = false, {}, 0
local waiting, first, last = {}, 1, 0 -- due times of the arrivals that connections wait for, earliest first
local started, number, outstanding = {}, 0, 0
local begun, due -- start of the load, and due time of the latest arrival that a connection has taken
local results

local function now()
  ffi.C.clock_gettime(MONOTONIC, instant)
  return tonumber(instant.seconds) + tonumber(instant.nanoseconds) * 1e-9
end

function init(arguments)
  math.randomseed(7)
  number = tonumber(arguments[6])
  for line in io.lines(arguments[1]) do
    local path, body = line:match("^(%S+)\t(.*)$")
    heads[#heads + 1] = "POST " .. path .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\nAuthorization: " .. arguments[3]
      .. "\r\nContent-Type: application/json\r\nContent-Length: " .. #body .. "\r\nX-Request-ID: "
    tails[#tails + 1] = "\r\n\r\n" .. body
  end
  closed = arguments[4] == "closed"
  for seconds, rate in arguments[5]:gmatch("([%d.]+):([%d.]+)") do
    ends = ends + tonumber(seconds)
    phases[#phases + 1] = { ends = ends, rate = tonumber(rate) }
  end
  if arguments[4] == "summary" then -- for servers that do not repeat X-Request-ID: wrk measures
    delay, response = nil, nil
  else
    results = assert(io.open(arguments[2], "w"))
  end
end

-- Due time of the next request; nil after the end of the load.
local function next_due(at)
  if closed then
    return at < begun + ends and at or nil
  end
  for _, phase in ipairs(phases) do
    if due < begun + phase.ends then
      due = due - math.log(1 - math.random()) / phase.rate
      return due < begun + ends and due or nil
    end
  end
end

-- A free connection takes the next arrival. Returns the milliseconds until it is due.
-- The process ends after the last answer, so that the server has worked for counted answers only.
function delay()
  local at = now()
  begun = begun or at
  due = due or at
  local wanted = next_due(at)
  if wanted then
    last = last + 1
    waiting[last] = wanted
    return math.max(0, math.floor((wanted - at) * 1000))
  end
  if outstanding == 0 and first > last then
    results:close()
    os.exit(0)
  end
  return NEVER_MS
end

function request()
  local at = now()
  number = number + 1
  if begun then -- wrk builds one request before the load, to inspect it
    outstanding = outstanding + 1
  end
  if first <= last then
    local wanted = waiting[first]
    waiting[first] = nil
    first = first + 1
    if not closed and at - wanted > LATE_S then at = wanted end
  end
  started[number] = at
  local line = (number - 1) % #heads + 1
  return heads[line] .. number .. tails[line]
end

function response(status, headers)
  local at = now()
  local answered = tonumber(headers["x-request-id"])
  local sent = started[answered]
  results:write(("%.6f %d %.6f\n"):format(sent, status, at - sent))
  started[answered] = nil
  outstanding = outstanding - 1
end

-- Runs in a separate Lua state, in which `init` was not called. Prints the measurements of wrk.
function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(('\n{"answered": %d, "seconds": %f, "refused": %d, "broken": %d, "p50_ms": %f, "p95_ms": %f}\n'):format(
    summary.requests, summary.duration / 1e6, errors.status, broken,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3))
end

-- What wrk asks for and how it reports; benchmarks/serving.py calls it:
--   wrk … ADDRESS -s serving.lua -- plain                 the file as it is
--   wrk … ADDRESS -s serving.lua -- gzip                  its compressed form
--   wrk … ADDRESS -s serving.lua -- ranges SIZE LENGTH    parts of LENGTH bytes at random places of a file of SIZE bytes
--   wrk … ADDRESS -s serving.lua -- visit PATH...         the compressed forms of several files in turn
--   wrk … ADDRESS -s serving.lua -- again TAG             whether it still is what it was

local kind, size, length, paths
local turn = 0

function init(args)
  kind = args[1]
  wrk.headers["Accept-Encoding"] = (kind == "gzip" or kind == "visit") and "gzip" or "identity"
  if kind == "ranges" then
    size, length = tonumber(args[2]), tonumber(args[3])
    -- The same places in every run.
    math.randomseed(6)
  elseif kind == "visit" then
    paths = {unpack(args, 2)}
  elseif kind == "again" then
    wrk.headers["If-None-Match"] = args[2]
  end
end

function request()
  if kind == "ranges" then
    local start = math.random(0, size - length)
    wrk.headers["Range"] = "bytes=" .. start .. "-" .. (start + length - 1)
  end
  if kind == "visit" then
    turn = turn % #paths + 1
    return wrk.format("GET", paths[turn])
  end
  return wrk.format("GET")
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "bytes": %d, "seconds": %f, "p50": %f, "p95": %f, "p99": %f, "errors": %d}\n',
    summary.requests, summary.bytes, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end

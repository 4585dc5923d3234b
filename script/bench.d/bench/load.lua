-- Sends the requests of a job (a Lua file named by BENCH_JOB). One connection a thread: each walks
-- through places of its own, and sends the version its last answer gave as If-Match.
local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

local job = dofile(os.getenv("BENCH_JOB"))
local salt = os.getenv("BENCH_SALT")
local own, at, sent, place = {}, 0, 0, nil
refused = 0

function init(args)
  for index = number + 1, #job.places, job.connections do
    table.insert(own, job.places[index])
  end
end

local function unique()
  return string.format("%s-%04x-4000-8000-%012x", salt, number, sent)
end

if #job.places > 1 or job.body then
  function request()
    at = at % #own + 1
    place = own[at]
    sent = sent + 1
    local headers = {}
    for name, value in pairs(job.headers) do headers[name] = value end
    headers["Authorization"] = "Bearer " .. place.token
    if job.body then
      headers["Idempotency-Key"] = unique()
      if place.version > 0 then headers["If-Match"] = '"' .. place.version .. '"' end
    end
    return wrk.format(job.method, place.path, headers, job.body and job.body:gsub("@unique@", unique()))
  end
else
  wrk.method, wrk.path, wrk.headers = job.method, job.places[1].path, job.headers
  wrk.headers["Authorization"] = "Bearer " .. job.places[1].token
end

if job.body then
  function response(status, headers)
    if status ~= job.expected then
      refused = refused + 1
    elseif place.version > 0 then
      place.version = tonumber((headers["ETag"]:gsub('"', '')))
    end
  end
end

function done(summary, latency)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + (thread:get("refused") or 0) end
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "p50": %f, "p90": %f, "p99": %f, "refused": %d, "broken": %d, "bytes": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, math.max(wrong, failed.status),
    failed.connect + failed.read + failed.write + failed.timeout, summary.bytes))
end

-- Steers calls by /readyz: an instance that drains, starts or has lost its store
-- gets no new call within a quarter of a second, and those it has go on.
--
-- `instances`, beside nginx.conf, has a line for each: "IP:PORT IP:PORT", its
-- HTTP and its gRPC door (IPv6 in brackets; names are refused, since nobody would
-- look them up), or the one word `none`. It is read again each second, so
-- instances come and go without a reload (a reload would close callers' idle
-- connections, some of them just as a request arrives). Write another file and
-- `mv` it: a list in which no line is valid is not taken.
--
-- The first worker of nginx asks; what it hears is shared with the others.
local balancer = require "ngx.balancer"

local ASK_EVERY = 0.25 -- seconds; the service takes calls for 1 s after SIGTERM
local READ_EVERY = 1 -- seconds
local PATIENCE = 2000 -- ms for an answer
local SILENT = 3 -- answers missed before one that accepts is left out

local steering = {}
local out = ngx.shared.readiness -- true for each that gets no calls
local all = {} -- in the order of the file
local refused = {} -- lines that were told of
local turn = 0

local function asks() return ngx.worker.id() == 0 end

local function split(address)
  local host, port = address:match("^(%d+%.%d+%.%d+%.%d+):(%d+)$")
  if not host then host, port = address:match("^(%[%x*:[%x:.]*%]):(%d+)$") end
  return host and {host = host, port = tonumber(port)}
end

local function parse(line)
  local http, grpc = line:match("^%s*(%S+)%s+(%S+)%s*$")
  if not http then return nil end
  local name = http .. " " .. grpc
  http, grpc = split(http), split(grpc)
  return http and grpc and {name = name, http = http, grpc = grpc, missed = 0}
end

local function refuse(line)
  if refused[line] or not asks() then return end
  refused[line] = true
  ngx.log(ngx.ERR, "instances: not IP:PORT IP:PORT: ", line)
end

local function read_list()
  local file = io.open(ngx.config.prefix() .. "instances")
  if not file then return end
  local known, found, none = {}, {}, false
  for _, instance in ipairs(all) do known[instance.name] = instance end
  for line in file:lines() do
    local new = parse(line)
    if new then
      table.insert(found, known[new.name] or new)
      known[new.name] = nil
    elseif line:match("^%s*none%s*$") then
      none = true
    elseif not line:match("^%s*#") and line:match("%S") then
      refuse(line)
    end
  end
  file:close()
  if #found == 0 and not none then return end
  all = found
  -- Until it was asked, a new one is taken to be ready: so the first calls after
  -- the start of nginx find somebody.
  if asks() then
    for name in pairs(known) do out:delete(name) end
  end
end

-- True, false, or nil where it did not answer in time.
local function is_ready(door)
  local socket = ngx.socket.tcp()
  socket:settimeout(PATIENCE)
  local ok, why = socket:connect(door.host, door.port)
  if not ok then
    if why == "timeout" then return nil end
    return false
  end
  socket:send("GET /readyz HTTP/1.1\r\nHost: balancer\r\n" ..
    "Connection: close\r\n\r\n")
  local line, trouble = socket:receive("*l")
  socket:close()
  if not line then
    if trouble == "timeout" then return nil end
    return false
  end
  return line:find("^HTTP/1.1 200") ~= nil
end

local function ask(instance)
  local answer = is_ready(instance.http)
  instance.missed = answer == nil and instance.missed + 1 or 0
  local was = not out:get(instance.name)
  local ready = answer or (answer == nil and was and instance.missed < SILENT)
  if ready ~= was then
    ngx.log(ngx.WARN, instance.name, ready and " is ready" or " is not ready")
    if ready then out:delete(instance.name) else out:set(instance.name, true) end
  end
  instance.asking = false
end

local function ask_all(premature)
  if premature then return end
  for _, instance in ipairs(all) do
    if not instance.asking then
      instance.asking = true
      ngx.thread.spawn(ask, instance)
    end
  end
end

-- In init_worker_by_lua.
function steering.watch()
  read_list()
  if asks() then
    ngx.timer.at(0, ask_all)
    ngx.timer.every(ASK_EVERY, ask_all)
  end
  ngx.timer.every(READ_EVERY, function(premature)
    if not premature then read_list() end
  end)
end

-- Whom to ask, best first: for calls with an affinity the same for all that
-- share it (rendezvous hashing: when an instance leaves, only its calls move, to
-- all others alike; by a hash that is not linear, as CRC is, or shares differ);
-- for others in turn. Where nobody is ready, everybody is asked: the service's
-- own 503 says more than ours.
local function order(affinity)
  local list = {}
  for _, instance in ipairs(all) do
    if not out:get(instance.name) then table.insert(list, instance) end
  end
  if #list == 0 then
    for _, instance in ipairs(all) do table.insert(list, instance) end
  end
  if affinity ~= "" then
    local weight = {}
    for _, one in ipairs(list) do
      weight[one] = ngx.md5_bin(affinity .. " " .. one.name)
    end
    table.sort(list, function(a, b) return weight[a] > weight[b] end)
    return list
  end
  turn = turn + 1
  local turned = {}
  for i = 1, #list do turned[i] = list[(turn + i) % #list + 1] end
  return turned
end

-- In balancer_by_lua; `door` is "http" or "grpc". Called again for the next one
-- where nginx may repeat the call.
function steering.pick(door)
  local mine = ngx.ctx
  if not mine.order then
    mine.order, mine.tried = order(ngx.var.llm_affinity), 0
    if #mine.order == 0 then return ngx.exit(502) end
    if #mine.order > 1 then balancer.set_more_tries(#mine.order - 1) end
  end
  mine.tried = mine.tried % #mine.order + 1
  local peer = mine.order[mine.tried][door]
  local ok, why = balancer.set_current_peer(peer.host, peer.port)
  if not ok then
    ngx.log(ngx.ERR, "no such peer: ", why)
    return ngx.exit(502)
  end
end

return steering

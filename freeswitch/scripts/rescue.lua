-- The dead man's switch. The engine has the switch run this every few seconds
--   sched_api @5 il_guard lua rescue.lua 15 &
-- and writes the time (seconds since 1970) with `hash insert/il/alive/<time>` as long as it lives.
-- When that time is older than the argument, and was so in the run before, every marked call that is not in a talk goes to the
-- fallback, and every agent's leg without a talk is hung up. A talk is never touched; its caller is
-- found by a later run, when the talk is over. It needs no variable expansion, only API calls.

local limit = tonumber(argv[1]) or 15
local api = freeswitch.API()

local function ask(command, argument)
    local answer = api:execute(command, argument or "")
    if answer == nil or answer:sub(1, 4) == "-ERR" or answer == "_undef_" then
        return ""
    end
    return (answer:gsub("%s+$", ""))
end

local sign = ask("hash", "select/il/alive")
local alive = tonumber(sign)
-- No sign of life at all: no engine has ever led this switch, and calls have their own timer.
if alive == nil or os.time() - alive <= limit then
    return
end
-- One look is not enough: when the wall clock was set forward, the last sign looks old until the next one comes.
if ask("hash", "select/il/silent") ~= sign then
    api:execute("hash", "insert/il/silent/" .. sign)
    return
end

-- JSON, because a caller's name can hold whatever separates the columns of the other formats.
local function uuids(answer, ...)
    local found = {}
    for _, key in ipairs({...}) do
        for uuid in answer:gmatch('"' .. key .. '":"(%x+%-%x+%-%x+%-%x+%-%x+)"') do
            found[uuid] = true
        end
    end
    return found
end

local channels = uuids(ask("show", "channels as json"), "uuid")
local talking = uuids(ask("show", "bridged_calls as json"), "uuid", "b_uuid")
for uuid in ask("conference", "xml_list"):gmatch("<uuid>(%x+%-%x+%-%x+%-%x+%-%x+)</uuid>") do
    talking[uuid] = true
end

local moved, dropped = 0, 0
for uuid in pairs(channels) do
    if not talking[uuid] then
        if ask("uuid_getvar", uuid .. " il_call") == "true" then
            if ask("uuid_getvar", uuid .. " il_fallback") ~= "true" then
                api:execute("uuid_transfer", uuid .. " fallback XML fallback")
                moved = moved + 1
            end
        elseif ask("uuid_getvar", uuid .. " il_owner") ~= "" then
            api:execute("uuid_kill", uuid .. " NORMAL_CLEARING")
            dropped = dropped + 1
        end
    end
end

if moved + dropped > 0 then
    freeswitch.consoleLog("warning", string.format(
        "rescue.lua: no engine for %d s; %d calls moved to the fallback, %d agents' legs dropped\n",
        os.time() - alive, moved, dropped))
end

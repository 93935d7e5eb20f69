-- Ardour without a GUI: a bass region plays through Lockstep, a second MIDI track records the drums, and every note of
-- the recorded region is printed on standard output.
--
--   ardour7-lua record_drums.lua FOLDER SAMPLE_RATE_HZ TEMPO_BPM N_MEASURES
--
-- Ardour must use the file `config` in this folder as its settings. FOLDER must not exist yet. The session is made,
-- saved, closed and opened again before Lockstep plays, to test what a player gets on returning to a project. The
-- result is the lines of these forms; all other output is from Ardour.
--
--   knob NAME VALUE              value in the opened session
--   note BEATS:TICKS LENGTH_BEATS:TICKS KEY CHANNEL VELOCITY     1920 ticks per beat, from the session's start
--   done

local folder = assert(arg[1], "which folder?")
local sample_rate_hz = assert(math.tointeger(arg[2]), "which sample rate?")
local tempo_bpm = assert(tonumber(arg[3]), "which tempo?")
local n_measures = assert(math.tointeger(arg[4]), "how many measures?")

local NAME = "lockstep"
local MEASURE_FRAMES = math.tointeger(sample_rate_hz * 240 // tempo_bpm)
-- Everything that moves a hit off the grid.
local STRAIGHT = { "Swing", "Humanise", "Feel", "Shuffle" }
-- A measure of bass: onset in beats and MIDI key.
local FIGURE = { { 0, 33 }, { 0.75, 33 }, { 1.5, 45 }, { 2, 33 }, { 2.75, 40 }, { 3.5, 43 } }
-- The longest wait is for a take of a few seconds; this leaves time for a busy machine.
local PATIENCE_S = 30

local function wait_until(what, is_so)
  local waited_s = 0
  while not is_so() do
    assert(waited_s < PATIENCE_S, "not reached after " .. PATIENCE_S .. " s: " .. what)
    sleep(0.01)
    waited_s = waited_s + 0.01
  end
end

-- Calls `visit(index, label)` for every knob of the plugin; index counts as in Ardour's scripts.
local function each_knob(processor, visit)
  local plugin, index = processor:to_insert():plugin(0), 0
  for i = 0, plugin:parameter_count() - 1 do
    if plugin:parameter_is_control(i) and plugin:parameter_is_input(i) then
      visit(index, plugin:parameter_label(i))
      index = index + 1
    end
  end
end

local function turn(processor, name, value)
  local is_there = false
  each_knob(processor, function(index, label)
    if label == name then
      is_there = ARDOUR.LuaAPI.set_processor_param(processor, index, value)
    end
  end)
  assert(is_there, "the plugin has no parameter " .. name)
end

-- Connects by name, because the other end may be outside the session.
local function connect(from, to)
  assert(from:connect(to:name()) == 0, "cannot connect " .. from:name() .. " to " .. to:name())
end

-- The port through which scripts and the on-screen keyboard play.
local function keyboard()
  local _, found = AudioEngine:get_ports(ARDOUR.DataType("midi"), ARDOUR.PortList())
  for port in found[2]:iter() do
    if port:name() == "x-virtual-keyboard" then
      return port:to_asyncmidiport()
    end
  end
  error("Ardour has no virtual keyboard")
end

local function press(port, bytes)
  local parser = ARDOUR.RawMidiParser()
  for _, byte in ipairs(bytes) do
    if parser:process_byte(byte) then
      port:write(parser:midi_buffer(), parser:buffer_size(), 0)
    end
  end
end

local function new_track(session, name)
  local midi = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1)
  return session
    :new_midi_track(midi, midi, false, ARDOUR.PluginInfo(), nil, nil, 1, name,
      ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, false)
    :front()
end

local function new_lockstep(session)
  for info in ARDOUR.LuaAPI.list_plugins():iter() do
    if info.name == "Lockstep" then
      return ARDOUR.LuaAPI.new_plugin(session, info.unique_id, info.type, "")
    end
  end
  error("Ardour's plugin list has no Lockstep: scan the bundle with ardour-vst3-scanner and put its folder in VST3_PATH")
end

-- The only region on a track, which must begin at the session's start.
local function region_on(track)
  for region in track:to_track():playlist():region_list():iter() do
    assert(region:position():samples() == 0, "the region does not begin at the session's start")
    return region
  end
  error("no region on the track " .. track:name())
end

-- Records on a track from the session's start to a frame, then calls `finish` before the transport stops.
local function record(session, track, end_frame, begin, finish)
  local control = track:to_track():rec_enable_control()
  control:set_value(1, PBD.GroupControlDisposition.NoGroup)
  wait_until("armed", function() return control:get_value() == 1 end)
  session:maybe_enable_record(false)
  -- A session that has just been opened is still locating to its start; a take begun during that is lost.
  sleep(2)
  assert(session:transport_sample() == 0, "the transport is not at the start")
  session:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
  wait_until("recording", function() return session:actively_recording() end)
  begin()
  wait_until("recorded", function() return session:transport_sample() >= end_frame end)
  finish()
  assert(session:actively_recording(), "Ardour stopped recording by itself")
  session:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
  wait_until("a recorded region", function()
    return not session:transport_rolling() and not track:to_track():playlist():region_list():empty()
  end)
  -- The region appears before Ardour has finished the take.
  sleep(1)
  control:set_value(0, PBD.GroupControlDisposition.NoGroup)
  session:disable_record(false)
  -- An armed track does not play its region, and a session saved too early keeps it armed.
  wait_until("disarmed", function() return control:get_value() == 0 end)
  return region_on(track)
end

local function model_of(region)
  return region:to_midiregion():midi_source(0):model()
end

-- A session with the bassist's track, Lockstep on it, and a track for the drums, saved and closed.
local function make_session()
  local session = assert(create_session(folder, NAME, sample_rate_hz), "no session")
  local map = Temporal.TempoMap.fetch_writable()
  map:set_tempo(Temporal.Tempo(tempo_bpm, tempo_bpm, 4), Temporal.timepos_t(0))
  Temporal.TempoMap.update(map)

  local bass, drums, lockstep = new_track(session, "Bass"), new_track(session, "Drums"), new_lockstep(session)
  assert(bass:add_processor_by_index(lockstep, 0, nil, true) == 0, "cannot add Lockstep to the track")
  connect(keyboard(), bass:input():midi(0))
  connect(bass:output():midi(0), drums:input():midi(0))
  for _, name in ipairs(STRAIGHT) do
    turn(lockstep, name, 0)
  end

  -- A script cannot make a region, but it can record one. Any note will do; a take without a note leaves no region.
  local region = record(session, bass, MEASURE_FRAMES // 2, function()
    local port = keyboard()
    press(port, { 0x90, 40, 100 })
    sleep(0.1)
    press(port, { 0x80, 40, 0 })
  end, function() end)
  region:set_length(Temporal.timecnt_t(n_measures * MEASURE_FRAMES))
  session:save_state("")
  session:close()
end

-- Replaces the region's notes with the bass line.
local function write_bass(session, region)
  local model = model_of(region)
  local command = model:new_note_diff_command("Write the bass line")
  for note in ARDOUR.LuaAPI.note_list(model):iter() do
    command:remove(note)
  end
  for measure = 0, n_measures - 1 do
    for _, figure in ipairs(FIGURE) do
      local at, length = Temporal.Beats.from_double(4 * measure + figure[1]), Temporal.Beats.from_double(0.4)
      command:add(ARDOUR.LuaAPI.new_noteptr(0, at, length, figure[2], 100))
    end
  end
  model:apply_command(session, command)
end

local function play()
  local session = assert(load_session(folder, NAME), "the saved session does not open")
  local bass, drums = session:route_by_name("Bass"), session:route_by_name("Drums")
  local lockstep = bass:nth_plugin(0)
  each_knob(lockstep, function(index, label)
    print("knob", label, (ARDOUR.LuaAPI.get_processor_param(lockstep, index, true)))
  end)
  assert(bass:to_track():rec_enable_control():get_value() == 0, "the bass track is armed")
  write_bass(session, region_on(bass))

  local region = record(session, drums, n_measures * MEASURE_FRAMES, function() end, function()
    -- Silence the drums before the take ends, so that the end of the recording cuts off no note.
    turn(lockstep, "Density", 0)
    wait_until("silence", function() return session:transport_sample() >= (n_measures + 1) * MEASURE_FRAMES end)
  end)
  for note in ARDOUR.LuaAPI.note_list(model_of(region)):iter() do
    print("note", note:time(), note:length(), note:note(), note:channel(), note:velocity())
  end
  session:close()
end

-- No audio is needed: without loudspeakers, and with the settings in `config`, nothing in the session has latency. With
-- latency, Ardour runs the bass track ahead and sometimes records the drums early, by 32 frames with 64-frame blocks.
ARDOUR.config():set_output_auto_connect(ARDOUR.AutoConnectOption.ManualConnect)
local backend = AudioEngine:set_backend("None (Dummy)", "Lockstep", "")
assert(backend:set_buffer_size(64) == 0, "no blocks of 64 frames")
make_session()
collectgarbage()
play()
print("done")

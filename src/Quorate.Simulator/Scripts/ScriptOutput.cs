namespace Quorate.Simulator.Scripts;

/// <summary>How much a script prints.</summary>
internal enum ScriptVolume
{
    /// <summary>What was asked for and what clients and operators see: roles, acknowledgements, drops, reads.</summary>
    Quiet,

    /// <summary>And each message when it is sent, each write, each range applied.</summary>
    Normal,

    /// <summary>And each message when it arrives.</summary>
    Loud,
}

/// <summary>The lines that a block's commands print.</summary>
internal sealed class ScriptOutput
{
    private readonly List<string> _lines = [];

    public ScriptVolume Volume { get; set; } = ScriptVolume.Normal;

    /// <summary>Set while time runs by itself, so that heartbeats do not drown the rest.</summary>
    public bool HidesHeartbeats { get; set; }

    /// <summary>Set while nothing at all is to be printed.</summary>
    public bool IsMuted { get; set; }

    /// <summary>What a client or operator sees.</summary>
    public void Fact(string line) => Add(ScriptVolume.Quiet, line);

    /// <summary>What goes on inside.</summary>
    public void Detail(string line) => Add(ScriptVolume.Normal, line);

    public void Arrival(string line) => Add(ScriptVolume.Loud, line);

    public string[] Take()
    {
        string[] lines = _lines.Count == 0 ? ["(nothing to show)"] : [.. _lines];
        _lines.Clear();
        return lines;
    }

    private void Add(ScriptVolume atLeast, string line)
    {
        if (Volume >= atLeast && !IsMuted)
        {
            _lines.Add(line);
        }
    }
}

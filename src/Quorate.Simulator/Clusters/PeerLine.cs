using Quorate.Core.Model;

namespace Quorate.Simulator.Clusters;

/// <summary>Whether a line can carry messages.</summary>
internal enum LineState
{
    Closed,
    Connecting,
    Open,
}

/// <summary>One lane from a machine to a node on another, of which there may have been several.</summary>
internal sealed class PeerLine(int from, int to, NodeId node, int lane)
{
    public int From => from;

    public int To => to;

    public NodeId Node => node;

    public int Lane => lane;

    public LineState State { get; set; }

    /// <summary>The connection that is open or being opened.</summary>
    public LineWire? Wire { get; set; }

    public long RetryAt { get; set; }

    /// <summary>The process has not yet dealt with the end of the last connection: nothing is taken.</summary>
    public bool IsLossUnheard { get; set; }

    public int Failures { get; set; }
}

/// <summary>One connection of a line.</summary>
internal sealed class LineWire(NodeId source)
{
    /// <summary>Who has opened it.</summary>
    public NodeId Source => source;

    public uint TargetLife { get; set; }

    /// <summary>What is on it, in order.</summary>
    public Queue<byte[]> Bytes { get; } = new();

    public long LastArrival { get; set; }

    public bool IsBroken { get; set; }

    /// <summary>Broken: what was on its way still arrives until then, in true time.</summary>
    public long LingersUntil { get; set; }

    /// <summary>Nothing has come back on it since then; <see cref="long.MaxValue"/> when it does.</summary>
    public long SilentSince { get; set; } = long.MaxValue;
}

namespace Quorate.Server.Runtime;

/// <summary>What a <see cref="NodeLoop"/> has done. Anybody may read; the figures are of about now.</summary>
public sealed class NodeLoopFigures
{
    /// <summary>Calls that were refused since too many waited.</summary>
    internal long CallsRefused;

    /// <summary>Peers' messages that were lost since too many waited.</summary>
    internal long MessagesLost;

    public long Rounds { get; private set; }

    /// <summary>Of the rounds, those that the loop's own thread drove.</summary>
    public long OwnRounds { get; private set; }

    public long Inputs { get; private set; }

    /// <summary>The most inputs that one round took.</summary>
    public long InputsInRoundMax { get; private set; }

    /// <summary>How often a thread that only brought an input was let go.</summary>
    public long HandOvers { get; internal set; }

    /// <summary>How long somebody drove, background work included, in microseconds.</summary>
    public long BusyMicroseconds { get; internal set; }

    public long WorkPieces { get; private set; }

    public long WorkMicroseconds { get; private set; }

    /// <summary>The longest piece of background work, in microseconds.</summary>
    public long WorkMicrosecondsMax { get; private set; }

    public long Refused => Volatile.Read(ref CallsRefused);

    public long Lost => Volatile.Read(ref MessagesLost);

    internal void Count(int inputs, bool isOwn)
    {
        Rounds++;
        OwnRounds += isOwn ? 1 : 0;
        Inputs += inputs;
        InputsInRoundMax = Math.Max(InputsInRoundMax, inputs);
    }

    internal void CountWork(long microseconds)
    {
        WorkPieces++;
        WorkMicroseconds += microseconds;
        WorkMicrosecondsMax = Math.Max(WorkMicrosecondsMax, microseconds);
    }
}

namespace Quorate.Server.Resp;

/// <summary>What is to become of a client's unfinished command.</summary>
internal enum InputVerdict
{
    /// <summary>There is none, or its client sends, or cannot.</summary>
    Fine,

    /// <summary>Nothing has come since the last look: the command lets others pass.</summary>
    Quiet,

    /// <summary>It has waited for room too long.</summary>
    Refuse,

    /// <summary>Its client has sent nothing, or next to nothing, for too long.</summary>
    Stalled,
}

/// <summary>
/// Watches whether the unfinished command of one connection comes on, while memory for commands is short (pitfall S6).
/// A client that the node does not read from is not blamed.
/// </summary>
internal struct InputProgress
{
    /// <summary>Two looks farther apart are no watch, in milliseconds.</summary>
    private const int LookMillisecondsMax = 1000;

    private long _bytes;
    private long _commands;
    private long _since;
    private long _waitsSince;
    private long _lookedAt;

    /// <summary>To be called now and then.</summary>
    /// <param name="mayRead">Bytes would be taken if there were any.</param>
    /// <param name="now">In milliseconds, as <see cref="Environment.TickCount64"/>.</param>
    public InputVerdict Look(RespConnection connection, bool mayRead, long now)
    {
        RespSettings settings = connection.Shared.Settings;

        // Nobody looks while memory is not short, so what began since is not as old as the last look.
        _since = now - _lookedAt > LookMillisecondsMax ? now : _since;
        _lookedAt = now;
        if (connection.NeedsRoom)
        {
            _waitsSince = _waitsSince == 0 ? now : _waitsSince;
            _since = now;
            return now - _waitsSince >= settings.InputWaitMilliseconds ? InputVerdict.Refuse : InputVerdict.Fine;
        }

        _waitsSince = 0;
        long bytes = connection.InputTaken - _bytes;
        bool hasMoved = bytes >= settings.InputProgressBytes || connection.Client.Commands != _commands;
        if (!mayRead || connection.InputHeld == 0 || hasMoved)
        {
            (_bytes, _commands, _since) = (connection.InputTaken, connection.Client.Commands, now);
            return InputVerdict.Fine;
        }

        return now - _since >= settings.InputStallMilliseconds ? InputVerdict.Stalled : InputVerdict.Quiet;
    }
}

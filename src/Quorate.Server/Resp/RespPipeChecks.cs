using Quorate.Core;

namespace Quorate.Server.Resp;

/// <content>What is looked at now and then: whether the client takes its replies, and ends what it has begun.</content>
internal sealed partial class RespPipe
{
    private InputProgress _progress;

    /// <summary>Called now and then: a client that takes no replies is cut (pitfall S7).</summary>
    /// <param name="now">In milliseconds, as <see cref="Environment.TickCount64"/>.</param>
    public void Check(long now)
    {
        lock (_gate)
        {
            if (HasStalled(now, Shared.Settings.ReplyStallMilliseconds) && Guards.StalledClientsAreCut)
            {
                Cut(isPressed: false);
            }
        }
    }

    /// <summary>There may be room for the replies to a client that waits for it.</summary>
    public void LookForRoom()
    {
        lock (_gate)
        {
            WakeIfRoom();
            if (!IsIdle)
            {
                Shared.Replies.NoteWaiting();
            }
        }
    }

    /// <summary>Memory is short: a client that takes nothing is cut sooner. False when it takes something.</summary>
    public bool TryCut(long now)
    {
        lock (_gate)
        {
            bool hasStalled = HasStalled(now, Shared.Settings.PressedStallMilliseconds);
            if (hasStalled)
            {
                Cut(isPressed: true);
            }

            return hasStalled;
        }
    }

    /// <summary>
    /// Memory for commands is short: what waits too long for room is refused, and of who sends nothing the bytes are
    /// told that would become free with it; else zero.
    /// </summary>
    public long LookAtInput(long now)
    {
        lock (_gate)
        {
            InputVerdict verdict = _isCut || _isOver
                ? InputVerdict.Fine
                : _progress.Look(Connection, MayTake(), now);
            switch (verdict)
            {
                case InputVerdict.Refuse:
                    Connection.RefuseArriving();
                    WakeIfRoom();
                    return 0;
                case InputVerdict.Quiet:
                    Connection.LetOthersPass();
                    return 0;
                default:
                    return verdict == InputVerdict.Stalled ? Connection.InputHeld : 0;
            }
        }
    }

    /// <summary>A client that keeps a command unfinished goes (pitfall S6).</summary>
    public void CutUnfinished()
    {
        lock (_gate)
        {
            if (!_isCut && !_isOver)
            {
                Shared.Counters.CutUnfinished();
                Cut();
            }
        }
    }

    private bool HasStalled(long now, int milliseconds) =>
        _isFlushing && !_isCut && now - _flushingSince > milliseconds;

    private void Cut(bool isPressed)
    {
        Shared.Counters.CutOne(isPressed);
        Cut();
    }

    private void Cut()
    {
        Abort();
        Connection.Close();
        TaskCompletionSource? awaited = _awaited;
        _awaited = null;
        awaited?.SetResult();
    }
}

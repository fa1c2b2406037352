using Quorate.Core;
using Quorate.Protocol;

namespace Quorate.Server.Resp;

/// <summary>
/// What a connection keeps of commands for later (those between MULTI and EXEC, keys that WATCH has named), counted in
/// the room that all connections share (pitfall S6). On the connection's turn alone.
/// <para>Less than <see cref="ReplyRoom.GrainBytes"/> is not counted, so that small transactions cost nothing.</para>
/// </summary>
internal sealed class InputHold(RespBudget budget)
{
    private long _bytes;
    private bool _isFinished;

    /// <summary>As much of it as is counted, in bytes.</summary>
    public long Counted { get; private set; }

    /// <summary>Keeps more; false when there is no room for it, and then nothing has changed.</summary>
    public bool TryAdd(long bytes)
    {
        long more = _bytes + bytes - Counted;
        if (more >= ReplyRoom.GrainBytes && Guards.QueuedInputIsCounted)
        {
            if (!budget.TryQueue(more))
            {
                return false;
            }

            Counted += more;
        }

        _bytes += bytes;
        return true;
    }

    /// <summary>It will be executed: nobody waits for its client any more.</summary>
    public void Finish()
    {
        if (!_isFinished)
        {
            budget.Finish(Counted);
            _isFinished = true;
        }
    }

    /// <summary>Nothing of it is kept any more; harmless a second time.</summary>
    public void Release()
    {
        if (Counted > 0)
        {
            budget.Give(Counted, _isFinished);
        }

        (_bytes, Counted) = (0, 0);
    }
}

using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Node.Partitions;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Model;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator.Workload;

/// <summary>
/// What one client asks of groups of typed values, what it has seen there, and the sessions in which it numbers its
/// writes.
/// <para>Invariant: a number names one request for ever; a session that the server no longer knows is not used
/// again.</para>
/// </summary>
internal sealed class ValueAsking
{
    private readonly ValuesPlan _plan;
    private readonly int _client;
    private readonly ValueDrawing _drawing;
    private readonly SeededRandom _random;
    private readonly SeenRegister[][] _seen;
    private readonly ulong[] _sessions;
    private readonly ulong[] _numbers;
    private readonly ScanRound?[] _scans;
    private readonly bool _numbersRequests;
    private uint _sessionsMade;

    public ValueAsking(ValuesPlan plan, int client, int groups, SeededRandom random)
    {
        _plan = plan;
        _client = client;
        _random = random;
        _drawing = new(plan, random);
        _numbersRequests = random.Next(100) < plan.SessionPercent;
        _seen = [.. Enumerable.Range(0, groups).Select(_ => new SeenRegister[plan.Tags])];
        _scans = new ScanRound?[groups];
        _sessions = new ulong[groups];
        _numbers = new ulong[groups];
    }

    public ValueRequest Draw(int group, ulong stamp, bool isWrite)
    {
        if (isWrite || _random.Next(100) >= _plan.ScanPercent)
        {
            return _drawing.Draw(stamp, isWrite, _seen[group]);
        }

        _scans[group] ??= new ScanRound();
        return _drawing.Scan(_scans[group]!.Cursor);
    }

    /// <summary>What is asked after the faults: a write of a register, or a read of all that a key holds.</summary>
    public static ValueRequest Final(in FinalTask task, ulong stamp)
    {
        (int tag, KeyUse use) = FinalKey(task);
        return task.IsWrite ? ValueDrawing.WriteRegister(tag, use, stamp) : ValueDrawing.ReadAll(tag, use);
    }

    /// <summary>Keys that are read in the end: each use of each tag. Of these the first two are written.</summary>
    public static int FinalKeys(ValuesPlan plan, bool isWrite) => plan.Tags * (isWrite ? 2 : UseCount);

    /// <summary>The next number for a write; null when this client does not number its requests.</summary>
    /// <param name="now">True time in microseconds: sessions are named by when they were made.</param>
    public SessionRequest? NextNumber(int group, long now)
    {
        if (!_numbersRequests)
        {
            return null;
        }

        if (_sessions[group] == 0)
        {
            // Milliseconds, then what tells sessions of one moment apart.
            ulong unique = ((ulong)_client << 8) | (++_sessionsMade & 0xFF);
            _sessions[group] = HybridTime.FromMilliseconds(1 + (now / 1000)).Packed | unique;
            _numbers[group] = 0;
        }

        ulong number = ++_numbers[group];
        return new SessionRequest(_sessions[group], number, number - 1);
    }

    /// <summary>The server does not know the session any more.</summary>
    public void LeaveSession(int group) => _sessions[group] = 0;

    /// <summary>An answered request is sent once more, as a network may do.</summary>
    public bool RepeatsLate(Attempt attempt) =>
        attempt.Numbered is not null && _random.Next(100) < _plan.LateRepeatPercent;

    /// <summary>The client takes note of what a register holds, and of where an iteration goes on.</summary>
    public void Learn(Attempt attempt, ValueReplay model)
    {
        if (attempt.Values!.IsScan)
        {
            bool isOver = _scans[attempt.Group]!.Take(attempt, model);
            _scans[attempt.Group] = isOver ? null : _scans[attempt.Group];
            return;
        }

        if (attempt.Values!.Register is not { } use || use.Key % 2 != 0)
        {
            return;
        }

        string reply = ValueRequest.Text(attempt.Answer!.Result.Span);
        ref SeenRegister seen = ref _seen[attempt.Group][(int)use.Key / 2];
        seen = (use.Kind, reply) switch
        {
            (OperationKind.CompareAndSet, ['$', ..]) => new(use.Argument, ModelReply.BulkText(reply)),
            (OperationKind.Read, _) => ModelReply.Parts(reply) is [var value, var version]
                ? new(ValueHistory(value), ModelReply.BulkText(version))
                : default,
            _ => seen,
        };
    }

    private const int UseCount = (int)KeyUse.Pair + 1;

    private static (int Tag, KeyUse Use) FinalKey(in FinalTask task)
    {
        int uses = task.IsWrite ? 2 : UseCount;
        return (task.Key / uses, (KeyUse)(task.Key % uses));
    }

    private static long ValueHistory(string bulk) => ValueHistories.ValueOf(ModelReply.BulkText(bulk));
}

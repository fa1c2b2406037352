using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Checking;

/// <summary>
/// Holds the operations of client sessions on one group against what the group committed, by the guarantees of
/// Terry and others, "Session guarantees for weakly consistent replicated data" (1994, section 3), and by the
/// promise of read level <see cref="ReadLevel.Session"/>: a read sees at least what the session's greatest token
/// names, or is told that the token's entry was lost.
/// <para>
/// What an operation owes is what the session held when it was invoked: what operations that had returned before
/// brought. Equal times count as overlapping. Linearizable reads owe what session reads owe, except that they need
/// not tell of a lost entry: it is no part of the newest state. An eventual read owes nothing but a value that was
/// really written; it brings its token, if its reply carried one.
/// </para>
/// <para>
/// A token counts as the greatest by index, or by term and then index; in one log both agree, and they differ only
/// beside a lost entry. A read is blamed for hiding a loss only when the greatest token is lost by either order,
/// and "session lost" is accepted when any held token is lost, so that the verdict does not hang on how clients
/// compare. After "session lost" the session starts afresh.
/// </para>
/// <para>Invariants: the same input gives the same claims, by session and in the order of invocation; each
/// operation breaks at most one.</para>
/// </summary>
public sealed class SessionChecker(CommittedHistory committed)
{
    private readonly List<BrokenClaim> _broken = [];
    private readonly Dictionary<long, Floor> _floors = [];
    private SessionOperation? _greatestByIndex;
    private SessionOperation? _greatestByTerm;
    private SessionOperation? _greatestHeld;
    private SessionOperation? _anyLost;

    /// <summary>Judges any number of sessions' operations, in any order. Empty when every promise holds.</summary>
    /// <exception cref="ArgumentException">A done operation returned before it was invoked.</exception>
    public IReadOnlyList<BrokenClaim> Check(ReadOnlySpan<SessionOperation> operations)
    {
        _broken.Clear();
        SessionOperation[] byInvocation = Sorted(operations, byReturn: false);
        SessionOperation[] byReturn = Sorted(operations, byReturn: true);
        for (int start = 0, end; start < byInvocation.Length; start = end)
        {
            end = start;
            while (end < byInvocation.Length && byInvocation[end].Session == byInvocation[start].Session)
            {
                end++;
            }

            CheckSession(byInvocation.AsSpan(start..end), byReturn.AsSpan(start..end));
        }

        return [.. _broken];
    }

    private static SessionOperation[] Sorted(ReadOnlySpan<SessionOperation> operations, bool byReturn)
    {
        (long Session, long Time, int Place)[] order = new (long, long, int)[operations.Length];
        for (int i = 0; i < order.Length; i++)
        {
            SessionOperation operation = operations[i];
            if (operation.Outcome == Outcome.Done && operation.Returned < operation.Invoked)
            {
                throw new ArgumentException($"returned before it was invoked: {operation}", nameof(operations));
            }

            order[i] = (operation.Session, byReturn ? operation.Returned : operation.Invoked, i);
        }

        Array.Sort(order);
        SessionOperation[] sorted = new SessionOperation[order.Length];
        for (int i = 0; i < sorted.Length; i++)
        {
            sorted[i] = operations[order[i].Place];
        }

        return sorted;
    }

    private void CheckSession(ReadOnlySpan<SessionOperation> byInvocation, ReadOnlySpan<SessionOperation> byReturn)
    {
        StartAfresh();
        int returned = 0;
        foreach (ref readonly SessionOperation operation in byInvocation)
        {
            while (returned < byReturn.Length && byReturn[returned].Returned < operation.Invoked)
            {
                Hold(byReturn[returned++]);
            }

            if (operation.Kind == SessionOperationKind.ReadSessionLost)
            {
                CheckLost(operation);
            }
            else if (operation.Outcome == Outcome.Done && operation.Kind == SessionOperationKind.Write)
            {
                CheckWrite(operation);
            }
            else if (operation.Outcome == Outcome.Done)
            {
                CheckRead(operation);
            }
        }
    }

    private void StartAfresh()
    {
        _floors.Clear();
        _greatestByIndex = null;
        _greatestByTerm = null;
        _greatestHeld = null;
        _anyLost = null;
    }

    /// <summary>Adds what a reply brought to what the session holds.</summary>
    private void Hold(in SessionOperation operation)
    {
        if (operation.Kind == SessionOperationKind.ReadSessionLost)
        {
            StartAfresh();
            return;
        }

        if (operation.Outcome != Outcome.Done)
        {
            return;
        }

        if (operation.Token != default)
        {
            HoldToken(operation);
        }

        bool write = operation.Kind == SessionOperationKind.Write;
        ref Floor floor = ref CollectionsMarshal.GetValueRefOrAddDefault(_floors, operation.Key, out _);
        if (write && committed.Holds(operation.Token) && operation.Token.Index > floor.Written)
        {
            (floor.Written, floor.Writer) = (operation.Token.Index, operation);
        }
        else if (!write && operation.Level != ReadLevel.Eventual)
        {
            LogIndex seen = SeenVersion(operation, floor.Read) ?? floor.Read;
            (floor.Read, floor.Reader) = seen > floor.Read ? (seen, operation) : (floor.Read, floor.Reader);
        }
    }

    private void HoldToken(in SessionOperation operation)
    {
        ReadToken token = operation.Token;
        if (_greatestByIndex is not { } a || token.Index > a.Token.Index)
        {
            _greatestByIndex = operation;
        }

        if (_greatestByTerm is not { } b || (token.Term, token.Index).CompareTo((b.Token.Term, b.Token.Index)) > 0)
        {
            _greatestByTerm = operation;
        }

        if (!committed.Holds(token))
        {
            _anyLost ??= operation;
        }
        else if (_greatestHeld is not { } c || token.Index > c.Token.Index)
        {
            _greatestHeld = operation;
        }
    }

    /// <summary>The version that a read surely saw; for an absent key the least one not below the floor.</summary>
    private LogIndex? SeenVersion(in SessionOperation read, LogIndex floor) =>
        read.Version == LogIndex.Zero ? committed.AbsentVersion(read.Key, floor) : read.Version;

    private void CheckLost(in SessionOperation read)
    {
        if (_anyLost is null)
        {
            Break(Claims.FalseSessionLost, "every entry that the session holds is committed", read, _greatestHeld);
        }
    }

    private void CheckWrite(in SessionOperation write)
    {
        if (write.Token == default || !committed.Holds(write.Token))
        {
            return;
        }

        if (_greatestHeld is { } held && write.Token.Index <= held.Token.Index)
        {
            bool afterWrite = held.Kind == SessionOperationKind.Write;
            string claim = afterWrite ? Claims.MonotonicWrites : Claims.WritesFollowReads;
            Break(claim, "took a place in the log not after what the session had before", write, held);
        }
        else if (!committed.Wrote(write.Key, write.Token.Index, write.Value))
        {
            Break(Claims.ValueNeverWritten, "its token names an entry that does not hold it", write, null);
        }
    }

    private void CheckRead(in SessionOperation read)
    {
        if (!committed.Wrote(read.Key, read.Version, read.Value))
        {
            Break(Claims.ValueNeverWritten, "no committed entry of that index wrote that value", read, null);
        }
        else if (read.Level != ReadLevel.Eventual)
        {
            CheckFreshness(read);
        }
    }

    private void CheckFreshness(in SessionOperation read)
    {
        Floor floor = _floors.GetValueOrDefault(read.Key);
        LogIndex token = _greatestHeld?.Token.Index ?? LogIndex.Zero;
        LogIndex covered = committed.NewestVersion(read.Key, token);
        if (IsOlder(read, floor.Written))
        {
            Break(Claims.ReadYourWrites, "sees the key as it was before the session's own write", read, floor.Writer);
        }
        else if (IsOlder(read, floor.Read))
        {
            Break(Claims.MonotonicReads, "sees an older version than the session has seen", read, floor.Reader);
        }
        else if (IsOlder(read, covered))
        {
            Break(Claims.TokenCovered, $"misses version {covered}, which the token covers", read, _greatestHeld);
        }
        else if (read.Token != default && (!committed.Holds(read.Token) || read.Token.Index < read.Version))
        {
            Break(Claims.TokenCovered, "its token does not cover what it saw", read, null);
        }
        else if (read.Level == ReadLevel.Session
            && _greatestByIndex is { } byIndex && _greatestByTerm is { } byTerm
            && !committed.Holds(byIndex.Token) && !committed.Holds(byTerm.Token))
        {
            Break(Claims.LostWriteHidden, "is served though the session's newest entry was lost", read, byTerm);
        }
    }

    private bool IsOlder(in SessionOperation read, LogIndex floor) =>
        SeenVersion(read, floor) is not { } seen || seen < committed.NewestVersion(read.Key, floor);

    private void Break(string claim, string how, in SessionOperation operation, SessionOperation? owed)
    {
        string[] details = owed is { } since ? [$"the session held: {since}"] : [];
        _broken.Add(new(claim, $"{operation}: {how}", details));
    }

    /// <summary>The versions of one key that a session's replies have brought, and the operations that did.</summary>
    [StructLayout(LayoutKind.Auto)]
    private struct Floor
    {
        public LogIndex Written;
        public SessionOperation? Writer;
        public LogIndex Read;
        public SessionOperation? Reader;
    }
}

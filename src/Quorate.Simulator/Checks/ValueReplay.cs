using System.Runtime.InteropServices;
using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Simulator.Model;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Checks;

/// <summary>
/// The model of groups of typed values: replays the requests of each committed entry, in the order in which a leader
/// evaluated them, on the reference model, and keeps every state, so that each answer can be held against the state at
/// its place in the log.
/// <para>Invariant: the state at an index depends on the committed entries up to there and on the logged time
/// alone.</para>
/// </summary>
/// <param name="seal">Opens entries of groups that are encrypted.</param>
/// <param name="evictions">What the group lets go of when it is a cache.</param>
/// <param name="termStartsMax">As <see cref="RaftSettings.TermStartsMax"/>: terms that a replica remembers.</param>
/// <param name="times">Knows the true time; null when most clocks may be wrong.</param>
internal sealed class ValueReplay(IEntrySeal seal, ValueEvictions evictions, int termStartsMax,
    LoggedTimes? times = null) : IGroupModel
{
    private readonly List<ModelKeys> _states = [ModelKeys.Empty];
    private readonly Dictionary<ReadToken, List<Evaluated>> _evaluated = [];
    private readonly Dictionary<(ulong Session, ulong Number), Attempt> _executed = [];
    private HybridTime _time;

    /// <summary>What a replica's store makes of rows is not the model's to know.</summary>
    public ulong? StateHash => null;

    /// <summary>Requests that were executed in a committed entry.</summary>
    public int Executed { get; private set; }

    /// <summary>Requests that were answered from what a session remembers.</summary>
    public int Repeated { get; private set; }

    public ModelKeys Last => _states[^1];

    public ValueEvictions Evictions { get; } = evictions;

    /// <summary>A leader has evaluated a request and put what it changes into its entry.</summary>
    /// <param name="isExecuted">False: it was recognised, and is answered what its session remembers.</param>
    /// <param name="reply">What the leader will answer.</param>
    public void Evaluated(Attempt attempt, ReadToken place, bool isExecuted, ReadOnlyMemory<byte> reply)
    {
        times?.Proposed(place);
        ref List<Evaluated>? requests = ref CollectionsMarshal.GetValueRefOrAddDefault(_evaluated, place, out _);
        requests ??= [];
        requests.Add(new Evaluated(attempt, isExecuted, ValueRequest.Text(reply.Span)));
    }

    public void Apply(Entry entry, CommittedHistory history)
    {
        if (entry.Kind != EntryKind.Data)
        {
            _states.Add(Last);
            return;
        }

        ReadOnlyMemory<byte>? opened = seal.Open(new(entry.Term, entry.Index), entry.Payload, out string? problem);
        EntryBatch batch = default;
        if (opened is null || !EntryBatch.TryRead(opened.Value, out batch, out problem))
        {
            RunClaims.Break(RunClaims.LoggedTime, $"the committed {entry} {problem}");
        }

        if (batch.Time <= _time)
        {
            RunClaims.Break(RunClaims.LoggedTime, $"{entry} carries the time {batch.Time}, one before it {_time}");
        }

        _time = batch.Time;
        times?.Committed(new ReadToken(entry.Term, entry.Index), _time);
        Replay(entry, batch, history);
    }

    public Attempt? ExecutedFor(Attempt attempt)
    {
        if (attempt.CommittedAt != LogIndex.Zero)
        {
            return attempt;
        }

        return attempt.Numbered is { } numbered
            ? _executed.GetValueOrDefault((numbered.Session, numbered.Number))
            : null;
    }

    public string? ResultDiffers(Attempt attempt, Attempt executed)
    {
        string given = ValueRequest.Text(attempt.Answer!.Result.Span);
        string expected = ValueRequest.Text(executed.TrueResult.Span);
        return ModelReply.IsAnsweredBy(expected, given)
            ? null
            : $"is answered {Shown(given)}; at {executed.CommittedAt} the model answers {Shown(expected)}";
    }

    /// <summary>Breaks a claim when a read's answer is not what the model answers at the read's place.</summary>
    public void CheckRead(Attempt attempt)
    {
        Answer answer = attempt.Answer!;
        ulong index = answer.Token.Index.Value;
        if (index >= (ulong)_states.Count)
        {
            RunClaims.Break(
                RunClaims.WrongRead, $"{attempt} is answered at {answer.Token}, which is not committed");
        }

        ModelKeys state = _states[(int)index];
        ValueRequest request = attempt.Values!;
        if (request.IsScan)
        {
            ScanRound.CheckPiece(attempt, state);
            return;
        }

        string given = ValueRequest.Text(answer.Result.Span);
        string expected = new ModelRun(state, state.Time) { Given = given }.Do(request.Lines, request.IsBatch)!;
        if (!ModelReply.IsAnsweredBy(expected, given))
        {
            RunClaims.Break(
                RunClaims.WrongRead,
                $"{attempt}, answered at {answer.Token}: {Shown(given)}; the model answers {Shown(expected)}");
        }

        if (request.ReadsPair && !Evictions.IsCache)
        {
            CheckPair(attempt, given);
        }
    }

    /// <summary>The version that a string had at an index, and whether there was one.</summary>
    public LogIndex VersionAt(string key, LogIndex index)
    {
        ModelKeys state = _states[(int)index.Value];
        return state.Keys.TryGetValue(key, out ModelKey? found) && !found.IsExpired(state.Time)
            ? ModelReply.IndexOf(found.Version)
            : LogIndex.Zero;
    }

    /// <summary>The keys that were there at each index of a range.</summary>
    public SortedSet<string> AllAlong(LogIndex first, LogIndex last)
    {
        var keys = new SortedSet<string>(StringComparer.Ordinal);
        keys.UnionWith(_states[(int)first.Value].Alive.Select(key => key.Key));
        for (int index = (int)first.Value + 1; index <= (int)last.Value; index++)
        {
            keys.IntersectWith(_states[index].Alive.Select(key => key.Key));
        }

        return keys;
    }

    /// <summary>Two keys that are only written together are seen as they were written: both or neither.</summary>
    private static void CheckPair(Attempt attempt, string given)
    {
        if (ModelReply.Parts(given) is not [var first, var second] || first != second)
        {
            RunClaims.Break(
                RunClaims.BatchAtomicity, $"{attempt} saw half of a batch: {Shown(given)}");
        }
    }

    private void Replay(Entry entry, in EntryBatch batch, CommittedHistory history)
    {
        var versions = new LoggedVersions(new(entry.Term, entry.Index), batch.Changes);
        var place = new ReadToken(entry.Term, entry.Index);
        ModelKeys state = Evictions.Apply(Last, place, batch.Changes.Span, _time.Milliseconds, history);
        List<Evaluated> requests = _evaluated.GetValueOrDefault(place) ?? [];
        foreach ((Attempt attempt, bool isExecuted, string given) in requests)
        {
            if (!isExecuted)
            {
                Repeated++;
                continue;
            }

            Executed++;
            RegisterReplay.Settle(attempt, entry);
            if (given.StartsWith(ValueRequest.FullError, StringComparison.Ordinal))
            {
                // It did nothing, and its number is not remembered.
                Evictions.CheckFull(attempt);
                attempt.TrueResult = ValueRequest.Bytes(given);
                continue;
            }

            SettleNumber(attempt, entry);
            var run = new ModelRun(state, _time.Milliseconds)
            {
                VersionOf = versions.Next,
                Given = given,
                MayForgetTerm = version => MayForgetTerm(version, place.Term),
            };
            ValueRequest request = attempt.Values!;
            string reply = run.Do(request.Lines, request.IsBatch)!;
            attempt.TrueResult = ValueRequest.Bytes(reply);
            attempt.WasForgotten = run.HasForgotten;
            state = run.After;
            NoteWrites(attempt, reply, state, history);
            if (attempt.Answer is { Outcome: Outcome.Done } && ResultDiffers(attempt, attempt) is { } difference)
            {
                RunClaims.Break(RunClaims.WrongResult, $"{attempt} {difference}");
            }
        }

        if (versions.Missing is { } missing)
        {
            RunClaims.Break(
                RunClaims.WrongResult, $"the model writes {missing} in {entry}, the entry holds no such change");
        }

        _evaluated.Remove(place);
        _states.Add(state with { Time = _time.Milliseconds });
    }

    /// <summary>
    /// A leader forgets a term only for as many later ones, each of which is one of the terms up to its own.
    /// </summary>
    private bool MayForgetTerm(string version, Term leader) =>
        leader.Value - ModelReply.TermOf(version).Value >= (ulong)termStartsMax;

    private void SettleNumber(Attempt attempt, Entry entry)
    {
        if (attempt.Numbered is { } numbered
            && !_executed.TryAdd((numbered.Session, numbered.Number), attempt))
        {
            Attempt first = _executed[(numbered.Session, numbered.Number)];
            RunClaims.Break(
                RunClaims.ExecutedTwice,
                $"{attempt} was executed at {entry}; {first} had been executed at {first.CommittedAt}");
        }
    }

    /// <summary>What the checker of sessions is told of registers.</summary>
    private static void NoteWrites(Attempt attempt, string reply, ModelKeys after, CommittedHistory history)
    {
        ValueRequest request = attempt.Values!;
        if (request.IsClear)
        {
            foreach (long key in ValueKeys.RegisterNumbers)
            {
                history.Write(key, 0);
            }
        }

        if (request.Register is { } use && !reply.StartsWith('-'))
        {
            var value = after.Keys.GetValueOrDefault(request.Lines[0][1])?.Value as TextValue;
            history.Write(use.Key, ValueHistories.ValueOf(value?.Text));
        }
    }

    /// <summary>A reply on one line; of long strings the beginning.</summary>
    internal static string Shown(string reply) =>
        string.Join(' ', reply.Split("\r\n").Select(
            line => line.Length > 40 ? $"{Printed(line[..40])}…" : Printed(line)));

    private static string Printed(string line) =>
        string.Concat(line.Select(c => c is >= ' ' and <= '~' ? c.ToString() : $"\\x{(int)c:x2}"));
}

/// <summary>A request that a leader put into an entry.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Evaluated(Attempt Attempt, bool IsExecuted, string Reply);

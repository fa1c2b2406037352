using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Checks;

/// <summary>
/// The one sequence of entries that a group has committed, as first seen anywhere, and a state machine of its own
/// that applies each once. Everything that replicas commit, apply, load and answer is held against it.
/// <para>Invariant: entries are consecutive from index 1.</para>
/// </summary>
internal sealed class CommittedLog(int group, List<Attempt> attempts, Membership bootstrap)
{
    private readonly List<Committed> _entries = [];
    private readonly RegisterStore _model = new();

    public ulong Last => (ulong)_entries.Count;

    /// <summary>What was committed, in the shape that the checkers take.</summary>
    public CommittedHistory History { get; } = new();

    /// <summary>The committed memberships with their indexes, the first one at zero.</summary>
    public List<MembershipAt> Memberships { get; } = [new(LogIndex.Zero, bootstrap)];

    public Membership Membership => Memberships[^1].Membership;

    public Term TermAt(ulong index) => index == 0 || index > Last ? Term.Zero : _entries[(int)index - 1].Entry.Term;

    /// <summary>A replica has committed or applied this entry while it knew of <paramref name="knownTerm"/>.</summary>
    public void Add(ReplicaId replica, Entry entry, Term knownTerm)
    {
        if (entry.Index.Value <= Last)
        {
            Entry first = _entries[(int)entry.Index.Value - 1].Entry;
            if (!LogMatching.Same(first, entry))
            {
                RunClaims.Break(
                    RunClaims.StateMachineSafety,
                    $"replica {replica} of group {group + 1} committed {entry} ({entry.Kind}), another had "
                        + $"committed {first} ({first.Kind})");
            }

            return;
        }

        if (entry.Index.Value != Last + 1)
        {
            RunClaims.Break(
                RunClaims.StateMachineSafety,
                $"replica {replica} of group {group + 1} committed {entry} when nobody had committed {Last + 1}");
        }

        if (entry.Term < TermAt(Last))
        {
            RunClaims.Break(
                RunClaims.StateMachineSafety, $"group {group + 1} committed {entry} after an entry of term "
                    + $"{TermAt(Last)}");
        }

        History.Append(entry.Term);
        Model(entry);
        _entries.Add(new Committed(entry, knownTerm, _model.StateHash));
    }

    /// <summary>A replica has applied up to an index, or loaded a snapshot of it.</summary>
    public void CheckState(ReplicaId replica, ReadToken applied, ulong stateHash)
    {
        if (applied.Index.Value > Last || TermAt(applied.Index.Value) != applied.Term)
        {
            RunClaims.Break(
                RunClaims.StateMachineSafety,
                $"replica {replica} of group {group + 1} holds the state at {applied}, which nobody committed");
        }

        ulong expected = applied.Index.Value == 0 ? 0 : _entries[(int)applied.Index.Value - 1].StateHash;
        if (stateHash != expected)
        {
            RunClaims.Break(
                RunClaims.StateHash,
                $"replica {replica} of group {group + 1} at {applied} has state {stateHash:x16}, not {expected:x16}");
        }
    }

    /// <summary>A replica became leader: its log must hold what leaders of earlier terms committed.</summary>
    public void CheckLeader(ReplicaId replica, Term term, ShadowLog log)
    {
        // Newest first: an entry that a later leader committed is none of this one's business.
        for (ulong index = Last; index > log.Base; index--)
        {
            Committed committed = _entries[(int)index - 1];
            if (committed.KnownTerm < term && log.TermAt(index) != committed.Entry.Term)
            {
                RunClaims.Break(
                    RunClaims.LeaderCompleteness,
                    $"replica {replica} of group {group + 1} leads term {term} without {committed.Entry}, "
                        + "committed by term "
                        + $"{committed.KnownTerm}; its log ends at {log.Last}");
            }
        }
    }

    private void Model(Entry entry)
    {
        ReadOnlyMemory<byte> results = _model.Apply(entry, resultWanted: true);
        if (entry.Kind == EntryKind.Membership)
        {
            Membership membership = Membership.TryDecode(entry.Payload.Span)!;
            MembershipChecks.Follows(group, Memberships[^1], new MembershipAt(entry.Index, membership));
            Memberships.Add(new MembershipAt(entry.Index, membership));
        }

        if (entry.Kind != EntryKind.Data)
        {
            return;
        }

        ReadOnlySpan<byte> batch = entry.Payload.Span;
        for (int i = 0; i < CommandBatch.Count(batch); i++)
        {
            Command command = CommandBatch.CommandAt(batch, i);
            CommandResult result = CommandBatch.ResultAt(results.Span, i);
            if (command.Kind == OperationKind.Add)
            {
                History.Write(command.Key, result.Result);
            }
            else if (command.Kind == OperationKind.Write || result.Result != 0)
            {
                History.Write(command.Key, command.Argument);
            }
        }

        Settle(attempts[(int)CommandBatch.Attempt(batch) - 1], entry, results);
    }

    private static void Settle(Attempt attempt, Entry entry, ReadOnlyMemory<byte> results)
    {
        if (attempt.CommittedAt != LogIndex.Zero)
        {
            RunClaims.Break(
                RunClaims.ExecutedTwice, $"{attempt} was committed at {attempt.CommittedAt} and at {entry}");
        }

        if (attempt.Answer is { Outcome: Outcome.Refused } refused)
        {
            RunClaims.Break(
                RunClaims.RefusedExecuted, $"{attempt} was refused ({refused.Reason}) and then committed at {entry}");
        }

        attempt.CommittedAt = entry.Index;
        attempt.TrueResult = results;
    }

    /// <summary>An entry, a term that its commitment cannot be newer than, and the state after it.</summary>
    private readonly record struct Committed(Entry Entry, Term KnownTerm, ulong StateHash);
}

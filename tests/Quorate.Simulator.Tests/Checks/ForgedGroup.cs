using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>
/// One group of three voters of which tests say what happened, true or not, and the checks that watch it.
/// </summary>
internal sealed class ForgedGroup
{
    public static readonly ReplicaId One = new(1, 1);
    public static readonly ReplicaId Two = new(2, 1);
    public static readonly ReplicaId Three = new(3, 1);
    public static readonly Membership Voters = Membership.Of([One, Two, Three]);

    private readonly SortedDictionary<ReplicaId, ulong> _sequences = [];

    public ForgedGroup() => Checks = new GroupChecks(0, Voters, new RegisterReplay(Attempts));

    public List<Attempt> Attempts { get; } = [];

    public GroupChecks Checks { get; }

    public static Entry Barrier(ulong index, ulong term) =>
        new(new LogIndex(index), new Term(term), EntryKind.Barrier, default);

    public static Entry EntryOf(Attempt attempt, ulong index, ulong term) =>
        new(new LogIndex(index), new Term(term), EntryKind.Data, attempt.Batch);

    public static ReadToken Token(ulong index, ulong term) => new(new Term(term), new LogIndex(index));

    /// <summary>Demands that a claim is broken, and that it is this one.</summary>
    public static void Breaks(string claim, Action action) =>
        Assert.Equal(claim, Assert.Throws<ClaimBrokenException>(action).Broken.Claim);

    /// <summary>A client sets key 1 to a value.</summary>
    public Attempt Write(long value, WriteLevel level = default, long invoked = 0) =>
        Attempt(new Command(OperationKind.Write, 1, value), isWrite: true, level, default, invoked);

    /// <summary>A client reads key 1.</summary>
    public Attempt Read(ReadLevel level, long invoked) =>
        Attempt(new Command(OperationKind.Read, 1, 0), isWrite: false, default, level, invoked);

    /// <summary>A replica writes entries; unless told otherwise they are durable at once.</summary>
    public void Append(ReplicaId replica, bool durable, params Entry[] entries)
    {
        ulong sequence = _sequences[replica] = _sequences.GetValueOrDefault(replica) + 1;
        ReplicaRecord record = Checks.RecordOf(replica);
        record.Writing(new Persist { Sequence = sequence, Entries = entries, MustSync = true });
        if (durable)
        {
            record.Durable(sequence);
        }
    }

    /// <summary>Voter one commits an entry that lies durably on all disks.</summary>
    public void Commit(Entry entry)
    {
        foreach (ReplicaId replica in new[] { One, Two, Three })
        {
            Append(replica, durable: true, entry);
        }

        CommitBy(One, entry.Term.Value, entry.Index.Value);
    }

    /// <summary>A leader says that an index is committed.</summary>
    public void CommitBy(ReplicaId leader, ulong term, ulong index) =>
        Checks.CommittedByLeader(leader, new Term(term), new LogIndex(index), [Voters]);

    /// <summary>A replica takes office by the durable votes of all.</summary>
    public void Elect(ReplicaId leader, ulong term)
    {
        foreach (ReplicaId voter in new[] { One, Two, Three })
        {
            ulong sequence = _sequences[voter] = _sequences.GetValueOrDefault(voter) + 1;
            var vote = new HardState(new Term(term), leader, LogIndex.Zero);
            ReplicaRecord record = Checks.RecordOf(voter);
            record.Writing(new Persist { Sequence = sequence, HardState = vote, MustSync = true });
            record.Durable(sequence);
        }

        Lead(leader, term);
    }

    /// <summary>A replica takes office, by whatever votes.</summary>
    public void Lead(ReplicaId leader, ulong term, uint life = 1) =>
        Checks.Elected(leader, new Term(term), life, [Voters]);

    /// <summary>Voter one answers, and the answer arrives.</summary>
    public void Done(Attempt attempt, ReadToken token, CommandResult? result = null, long at = 10) =>
        Answer(attempt, Outcome.Done, token, result, at);

    public void Refuse(Attempt attempt, long at = 10) => Answer(attempt, Outcome.Refused, default, null, at);

    private void Answer(Attempt attempt, Outcome outcome, ReadToken token, CommandResult? result, long at)
    {
        byte[] bytes = [];
        if (result is { } one)
        {
            bytes = CommandBatch.NewResults(1);
            CommandBatch.SetResult(bytes, 0, one);
        }

        attempt.Answer = new Answer(outcome, DropReason.Overloaded, ReplicaId.None, token, bytes, at);
        attempt.Returned = at;
        var leader = new RaftGroup(
            One, new RaftSettings(), new RecoveredState { Bootstrap = Voters }, seed: 1, Instant.Zero);
        Checks.Answered(attempt, leader);
    }

    private Attempt Attempt(Command command, bool isWrite, WriteLevel level, ReadLevel readLevel, long invoked)
    {
        ulong id = (ulong)Attempts.Count + 1;
        var attempt = new Attempt
        {
            Id = id,
            Client = 0,
            Group = 0,
            Session = 1,
            IsWrite = isWrite,
            Commands = [command],
            Batch = CommandBatch.Encode(id, [command], paddingBytes: 0),
            WriteLevel = level,
            ReadLevel = readLevel,
            Invoked = invoked,
            Deadline = invoked + 1000,
            Node = 0,
        };
        Attempts.Add(attempt);
        return attempt;
    }
}

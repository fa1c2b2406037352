using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Tests.Raft;

/// <summary>A replica's view of its log, against a plain list.</summary>
public sealed class RaftLogTests
{
    [Fact]
    public void A_log_answers_like_a_plain_list_of_entries()
    {
        var random = new SeededRandom(5);
        for (int round = 0; round < 200; round++)
        {
            var log = new RaftLog(new RaftSettings { CachedBytesMax = 200 }, new());
            var model = new List<Term>();
            Term term = new(1);
            for (int step = 0; step < 60; step++)
            {
                Change(random, log, model, ref term);
                AssertAlike(random, log, model);
            }
        }
    }

    [Fact]
    public void Nothing_committed_is_cut()
    {
        var log = new RaftLog(new RaftSettings(), new());
        log.Append(new(new(1), new(1), EntryKind.Data, default));
        log.CommitTo(new(1));
        Assert.Throws<InvariantBrokenException>(() => log.TruncateFrom(new(1)));
    }

    [Fact]
    public void A_checkpoint_names_the_membership_of_its_own_index()
    {
        Membership first = Membership.Of([new(1, 1)]);
        Membership second = Membership.Of([new(1, 1), new(2, 1)]);
        var log = new RaftLog(new RaftSettings(), new() { Bootstrap = first });
        log.Append(new(new(1), new(1), EntryKind.Data, default));
        log.Append(new(new(2), new(1), EntryKind.Membership, second.Encode()));
        log.CommitTo(new(1));
        log.AppliedTo(new(1));

        Assert.Equal(second, log.Membership);
        Assert.Equal(first, log.CheckpointMeta().Membership);
    }

    [Fact]
    public void A_cut_takes_back_a_membership()
    {
        Membership first = Membership.Of([new(1, 1)]);
        var log = new RaftLog(new RaftSettings(), new() { Bootstrap = first });
        log.Append(new(new(1), new(1), EntryKind.Membership, Membership.Of([new(2, 1)]).Encode()));
        log.TruncateFrom(new(1));
        Assert.Equal(first, log.Membership);
    }

    private static void Change(SeededRandom random, RaftLog log, List<Term> model, ref Term term)
    {
        switch (random.Next(6))
        {
            case 0 when log.Last > log.Commit:
                LogIndex from = log.Commit + (ulong)random.Between(1, (long)(log.Last - log.Commit));
                log.TruncateFrom(from);
                model.RemoveRange((int)from.Value - 1, model.Count - (int)from.Value + 1);
                break;
            case 1:
                log.CommitTo(new((ulong)random.Between((long)log.Commit.Value, (long)log.Last.Value)));
                break;
            case 2:
                log.AppliedTo(new((ulong)random.Between((long)log.Applied.Value, (long)log.Commit.Value)));
                break;
            case 3 when random.Chance(300_000):
                log.ReleaseTo(new((ulong)random.Between((long)log.Base.Value, (long)log.Applied.Value)));
                break;
            default:
                term = random.Chance(300_000) ? term.Next : term;
                log.Append(new(log.Last.Next, term, EntryKind.Data, new byte[random.Next(64)]));
                model.Add(term);
                break;
        }
    }

    private static void AssertAlike(SeededRandom random, RaftLog log, List<Term> model)
    {
        Assert.Equal((ulong)model.Count, log.Last.Value);
        for (int i = 0; i < model.Count; i++)
        {
            LogIndex index = new((ulong)i + 1);
            if (index >= log.Base)
            {
                Assert.Equal(model[i], log.TermAt(index));
            }

            Assert.True(index <= log.Applied || log.InMemory(index), $"{index} is not applied and in memory");
        }

        LogIndex from = new((ulong)random.Next(model.Count + 1));
        Term most = new((ulong)random.Next(8));
        int expected = (int)from.Value;
        while (expected > 0 && model[expected - 1] > most)
        {
            expected--;
        }

        if (log.Base == LogIndex.Zero)
        {
            Assert.Equal((ulong)expected, log.LastIndexWithTermAtMost(from, most).Value);
        }

        if (log.InMemory(log.Last))
        {
            Entry[] taken = log.Take(log.Last, log.Last, 1);
            Assert.Equal(log.Last, Assert.Single(taken).Index);
        }
    }
}

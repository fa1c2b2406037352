using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Tests;

/// <summary>Makes writes to a log as a group might, at random.</summary>
/// <param name="releases">Without it nothing is ever released, as in a group that has no quorum any more.</param>
internal sealed class PersistMaker(ulong seed, bool releases = true)
{
    private readonly SeededRandom _random = new(seed);
    private ulong _sequence;
    private Term _term = new(1);

    public LogModel Model { get; private set; } = LogModel.Empty;

    public Persist Next()
    {
        Persist persist = Draft();
        LogModel after = Model.After(persist);
        if (after.Entries.Length > 0 && _random.Next(10) == 0 && releases)
        {
            persist = new Persist
            {
                Sequence = persist.Sequence,
                ResetTo = persist.ResetTo,
                TruncateFrom = persist.TruncateFrom,
                Entries = persist.Entries,
                HardState = persist.HardState,
                MustSync = persist.MustSync,
                ReleaseTo = after.Base + (ulong)_random.Between(1, after.Entries.Length),
            };
        }

        Model = Model.After(persist);
        return persist;
    }

    private Persist Draft()
    {
        long what = _random.Next(100);
        _sequence++;
        if (what < 12)
        {
            return new() { Sequence = _sequence, HardState = Model.HardState with { Commit = Model.Last } };
        }

        if (what < 24)
        {
            _term = _term.Next;
            HardState voted = new(_term, new((uint)_random.Between(1, 3), 1), Model.HardState.Commit);
            return new() { Sequence = _sequence, HardState = voted, MustSync = true };
        }

        return WithEntries(what);
    }

    private Persist WithEntries(long what)
    {
        SnapshotMeta? reset = null;
        LogIndex cut = default;
        HardState? hard = null;
        LogIndex last = Model.Last;
        if (what < 27 && releases)
        {
            reset = new(last + (ulong)_random.Between(1, 20), _term, default, Membership.Of([new(1, 1)]), []);
            last = reset.Index;
            hard = new(_term, default, last);
        }
        else if (what < 38 && Model.Entries.Length > 0)
        {
            _term = _term.Next;
            cut = Model.Base + (ulong)_random.Between(1, Model.Entries.Length);
            last = cut.Previous;
            hard = new(_term, default, Model.HardState.Commit);
        }

        var entries = new List<Entry>();
        int count = (int)_random.Between(reset is null ? 1 : 0, 4);
        for (int i = 0; i < count; i++)
        {
            last = last.Next;
            entries.Add(NewEntry(last));
        }

        return new()
        {
            Sequence = _sequence,
            ResetTo = reset,
            TruncateFrom = cut,
            Entries = [.. entries],
            HardState = hard,
            MustSync = true,
        };
    }

    private Entry NewEntry(LogIndex index)
    {
        long what = _random.Next(10);
        if (what == 0)
        {
            byte[] encoded = Membership.Of([new(1, 1), new(2, (uint)_random.Between(1, 9))]).Encode();
            return new(index, _term, EntryKind.Membership, encoded);
        }

        byte[] payload = new byte[what == 1 ? 0 : _random.Next(120)];
        for (int i = 0; i < payload.Length; i++)
        {
            payload[i] = (byte)_random.Next(256);
        }

        return new(index, _term, what == 1 ? EntryKind.Barrier : EntryKind.Data, payload);
    }
}

using System.Buffers;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>A request in a proposal: what it is answered once the log has decided.</summary>
/// <param name="IsExecuted">False: it was executed before, and this is what is remembered.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ProposedRequest(
    OpenRequest Open, ValueVersion Version, ReadOnlyMemory<byte> Reply, bool IsExecuted);

/// <summary>Requests whose changes went into one entry. An entry that only carries the time has none.</summary>
internal sealed class Proposal(RequestId id, ProposedRequest[] requests)
{
    public RequestId Id { get; } = id;

    public ProposedRequest[] Requests { get; } = requests;
}

/// <summary>
/// The changes of an entry while it is made: encoded one after the other, and laid over the rows at the version that
/// each will have.
/// </summary>
internal sealed class EntryBuilder(IRowOverlay pending)
{
    private ArrayBufferWriter<byte> _changes = new();
    private LogIndex _index;
    private int _count;

    /// <summary>The version of the next change.</summary>
    public RowVersion NextVersion => RowVersion.At(_index, _count);

    /// <summary>Changes so far.</summary>
    public int Count => _count;

    public int Bytes => _changes.WrittenCount;

    public ReadOnlySpan<byte> Changes => _changes.WrittenSpan;

    public void Begin(LogIndex index)
    {
        _index = index;
        _count = 0;
        LetGo();
    }

    /// <summary>What its buffer takes, in bytes.</summary>
    public int Capacity => _changes.Capacity;

    /// <summary>The entry's bytes. What it was put together in is empty then.</summary>
    public byte[] Encode(HybridTime time)
    {
        byte[] bytes = EntryBatch.Encode(time, Changes);
        LetGo();
        return bytes;
    }

    /// <summary>Adds what was evaluated, which is let go.</summary>
    public void TakeOver(CommandEvaluation evaluation)
    {
        LayOver(evaluation.Changes);
        if (_changes.WrittenCount == 0 && evaluation.Changes.Length > KeptBuffer.BytesMax)
        {
            _changes = evaluation.HandOverChanges();
        }
        else
        {
            _changes.Write(evaluation.Changes);
        }

        evaluation.LetGo();
    }

    public void Add(in RowChange change)
    {
        pending.Change(change, NextVersion);
        RowChanges.Write(_changes, change);
        _count++;
    }

    /// <summary>The entry is not to be: what it laid over the rows is taken away.</summary>
    public void Cut()
    {
        pending.CutAfter(new RowVersion(RowVersion.At(_index, 0).Packed - 1));
        LetGo();
    }

    private void LayOver(ReadOnlySpan<byte> changes)
    {
        RowChangeReader reader = RowChanges.Read(changes);
        while (reader.TryNext(out RowChange change))
        {
            pending.Change(change, NextVersion);
            _count++;
        }
    }

    private void LetGo() => _changes = KeptBuffer.Empty(_changes);
}

using System.Buffers;
using System.Runtime.InteropServices;
using Quorate.Core;
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
        _changes.ResetWrittenCount();
    }

    public void Add(in RowChange change)
    {
        pending.Change(change, NextVersion);
        RowChanges.Write(_changes, change);
        _count++;
    }

    /// <summary>Adds a list of changes, in order.</summary>
    public void Add(ReadOnlySpan<byte> changes)
    {
        RowChangeReader reader = RowChanges.Read(changes);
        while (reader.TryNext(out RowChange change))
        {
            pending.Change(change, NextVersion);
            _count++;
        }

        _changes.Write(changes);
    }

    /// <summary>What was made of it has its changes: the memory of unusually many is not kept for the next.</summary>
    public void LetGo()
    {
        if (_changes.Capacity > Reply.KeptBytesMax && Guards.LargeBuffersAreLetGo)
        {
            _changes = new();
        }
    }

    /// <summary>The entry is not to be: what it laid over the rows is taken away.</summary>
    public void Cut() => pending.CutAfter(new RowVersion(RowVersion.At(_index, 0).Packed - 1));
}

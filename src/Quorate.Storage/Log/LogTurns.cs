using Quorate.Core;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>
/// What streams wait for the disk to bring: entries that are read, and the answer to an opening, which comes after a
/// turn of the disk because nothing is told inside a call.
/// <para>Invariant: the reads under way take no more than <paramref name="bytesMax"/> together, or there is one alone;
/// the others wait in the order in which they came.</para>
/// </summary>
internal sealed class LogTurns(
    IDisk disk, string prefix, long bytesMax, Func<NodeLogStream, LogView> view, Action<string> failed)
    : IDiskClient
{
    private readonly Dictionary<ulong, NodeLogStream> _turns = [];
    private readonly List<NodeLogStream> _postponed = [];
    private readonly Queue<DiskOperation> _waiting = new();
    private readonly Dictionary<ulong, int> _underWay = [];
    private long _bytesUnderWay;
    private ulong _nextTicket = 1;
    private bool _isStopped;

    /// <summary>Nothing more is told.</summary>
    public void Stop() => _isStopped = true;

    public void Open(NodeLogStream stream, string anyFile) =>
        Submit(stream, new(_nextTicket++, DiskOperationKind.Read, anyFile));

    public void Read(NodeLogStream stream, LogRead read)
    {
        if (stream.Reads.Start(read, view(stream), prefix, _nextTicket++) is DiskOperation operation)
        {
            Submit(stream, operation);
        }
        else if (!_postponed.Contains(stream))
        {
            _postponed.Add(stream);
        }
    }

    /// <summary>Starts the reads that waited for a batch, which is durable now.</summary>
    public void StartPostponed()
    {
        if (_postponed.Count == 0)
        {
            return;
        }

        NodeLogStream[] streams = [.. _postponed];
        _postponed.Clear();
        foreach (NodeLogStream stream in streams)
        {
            foreach (LogRead read in stream.Reads.TakePostponed())
            {
                if (stream.Reads.StartOrPostpone(read, view(stream), prefix, _nextTicket++) is DiskOperation operation)
                {
                    Submit(stream, operation);
                }
            }

            if (stream.Reads.HasPostponed)
            {
                _postponed.Add(stream);
            }
        }
    }

    void IDiskClient.Complete(in DiskCompletion completion)
    {
        if (_isStopped || !_turns.Remove(completion.Ticket, out NodeLogStream? stream))
        {
            return;
        }

        Tell(stream, completion);
        if (_underWay.Remove(completion.Ticket, out int bytes))
        {
            _bytesUnderWay -= bytes;
        }

        while (_waiting.TryPeek(out DiskOperation next) && HasRoomFor(next))
        {
            _waiting.Dequeue();
            Begin(next);
        }
    }

    private void Tell(NodeLogStream stream, in DiskCompletion completion)
    {

        if (!stream.Reads.TryTake(completion.Ticket, out LogRead? read))
        {
            stream.Client?.LogOpened(stream.Recovered());
        }
        else if (LogReads.Decode(read, completion, stream.Contents.Base) is Entry[] entries)
        {
            stream.Client?.LogRead(read.Tag, entries);
        }
        else if (stream.Client is not null && read.HasMoved(stream.Contents) && Guards.MovedEntriesAreReadAnew)
        {
            Read(stream, read.Anew());
        }
        else if (stream.Client is not null)
        {
            failed(LogSentences.Damaged(LogBatch.FileName(prefix, read.Segment), read));
        }
    }

    private void Submit(NodeLogStream stream, in DiskOperation operation)
    {
        _turns.Add(operation.Ticket, stream);
        if (_waiting.Count == 0 && HasRoomFor(operation))
        {
            Begin(operation);
        }
        else
        {
            _waiting.Enqueue(operation);
        }
    }

    private bool HasRoomFor(in DiskOperation operation) => _bytesUnderWay == 0
        || _bytesUnderWay + operation.Length <= bytesMax
        || !Guards.LogReadsAreBounded;

    private void Begin(in DiskOperation operation)
    {
        _bytesUnderWay += operation.Length;
        _underWay.Add(operation.Ticket, operation.Length);
        disk.Submit(operation, this);
    }
}

using System.Globalization;
using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Server.Disk;
using Quorate.Server.Runtime;
using Quorate.Storage.Log;

namespace Quorate.DiskHost;

/// <summary>
/// Appends numbered records to the log of a node, each when the one before it is durable, and says so of each.
/// </summary>
internal sealed class Appender : INodeLogClient, IGroupLogClient
{
    private readonly RealDisk _disk;
    private readonly int _count;
    private readonly TextWriter _output;
    private readonly NodeLog _log;
    private readonly IGroupLog _stream;

    private LogIndex _last;
    private LogIndex _end;
    private ulong _sequence;
    private string? _failure;
    private bool _isDone;

    public Appender(RealDisk disk, int count, TextWriter output)
    {
        _disk = disk;
        _count = count;
        _output = output;
        var settings = new NodeLogSettings { SegmentBytes = 8 * 4096, SparesMax = 1 };
        _log = new(disk, "n1-", settings, this, new SystemEntropy());
        _stream = _log.For(new(new(1), 1), this);
    }

    /// <summary>Runs until nothing is under way any more, or to a failure, which it returns.</summary>
    public string? Run()
    {
        _log.Open();
        _stream.Open();
        while ((!_isDone || _disk.UnderWay > 0) && _failure is null)
        {
            _disk.Wait(TimeSpan.FromSeconds(10));
            _disk.Drain();
        }

        return _failure;
    }

    public void LogOpened(IReadOnlyList<LogStream> streams)
    {
    }

    public void CheckpointWanted(LogStream stream)
    {
    }

    public void SpaceIsLow(bool isLow)
    {
    }

    public void LogOpened(RecoveredLog log)
    {
        _last = log.Last;
        _end = log.Last + (ulong)_count;
        Say($"opened {log.Last}");
        AppendNext();
    }

    public void LogDurable(ulong sequence)
    {
        Invariant.Check(sequence == _sequence, "one record is under way at a time");
        Say($"acked {_last}");
        AppendNext();
    }

    public void LogRead(ulong tag, Entry[] entries)
    {
    }

    /// <summary>Both the node's and the stream's owner are told; it is one failure.</summary>
    public void LogFailed(string sentence) => _failure ??= sentence;

    private void AppendNext()
    {
        _isDone = _last == _end;
        if (_isDone)
        {
            return;
        }

        _last = _last.Next;
        byte[] payload = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"record {_last}"));
        _stream.Write(new Persist
        {
            Sequence = ++_sequence,
            Entries = [new Entry(_last, new(1), EntryKind.Data, payload)],
            MustSync = true,
        });
    }

    private void Say(string line)
    {
        _output.WriteLine(line);
        _output.Flush();
    }
}

using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Log;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Stands between a replica and its log and tells a <see cref="ReplicaRecord"/> of every write before the log sees
/// it, and of every completion before the replica does.
/// </summary>
internal sealed class ObservedLog : IGroupLog, IGroupLogClient
{
    private readonly IGroupLog _log;
    private readonly IGroupLogClient _client;
    private readonly ReplicaRecord _record;
    private readonly Func<ulong, bool> _postpone;

    /// <param name="postpone">May keep the word that a write is durable, to give it by <see cref="Tell"/>
    /// later.</param>
    public ObservedLog(
        ReplicaRecord record, IGroupLogClient client, Func<IGroupLogClient, IGroupLog> log, Func<ulong, bool> postpone)
    {
        _postpone = postpone;
        _record = record;
        _client = client;
        _log = log(this);
    }

    public void Open() => _log.Open();

    public void Write(Persist persist)
    {
        _record.Writing(persist);
        _log.Write(persist);
    }

    public void Read(ulong tag, LogIndex first, LogIndex last, int maxBytes) => _log.Read(tag, first, last, maxBytes);

    public void LogOpened(RecoveredLog log)
    {
        _record.Opened(log);
        _client.LogOpened(log);
    }

    public void LogDurable(ulong sequence)
    {
        _record.Durable(sequence);
        if (!_postpone(sequence))
        {
            _client.LogDurable(sequence);
        }
    }

    /// <summary>Gives a word that was kept.</summary>
    public void Tell(ulong sequence) => _client.LogDurable(sequence);

    public void LogRead(ulong tag, Entry[] entries) => _client.LogRead(tag, entries);

    public void LogFailed(string sentence) => _client.LogFailed(sentence);
}

using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>
/// How scripts write messages, entries and writes: one line each, only the fields that count for the kind.
/// </summary>
internal sealed class ScriptPrinter
{
    private readonly Dictionary<ulong, int> _readIds = [];

    /// <summary>An entry as index@term and what is in it.</summary>
    public static string Describe(Entry entry)
    {
        string content = Content(entry);
        return content.Length == 0 ? $"{entry}" : $"{entry} {content}";
    }

    public static string Describe(IEnumerable<Entry> entries) => string.Join(", ", entries.Select(Describe));

    public static string Content(Entry entry) => entry.Kind switch
    {
        EntryKind.Barrier => "(barrier)",
        EntryKind.Membership => Membership.TryDecode(entry.Payload.Span)?.ToString() ?? "(not a membership)",
        _ => Text(entry.Payload.Span),
    };

    /// <summary>A payload as scripts write it: x*1000 for a thousand times x.</summary>
    public static string Text(ReadOnlySpan<byte> payload)
    {
        bool repeats = payload.Length >= 8 && payload.IndexOfAnyExcept(payload[0]) < 0;
        return repeats ? $"{(char)payload[0]}*{payload.Length}" : Encoding.UTF8.GetString(payload);
    }

    /// <summary>
    /// A write; the hard state that rides along shows only where term or vote differ from <paramref name="before"/>.
    /// </summary>
    public static string Describe(Persist persist, in HardState before)
    {
        var parts = new List<string>();
        if (persist.ResetTo is SnapshotMeta meta)
        {
            parts.Add($"the log begins after {meta}");
        }

        if (persist.TruncateFrom != LogIndex.Zero)
        {
            parts.Add($"cut from {persist.TruncateFrom}");
        }

        if (persist.Entries.Length > 0)
        {
            parts.Add(Describe(persist.Entries));
        }

        if (persist.HardState is HardState state && (state.Term, state.Vote) != (before.Term, before.Vote))
        {
            parts.Add($"term {state.Term} vote {state.Vote}");
        }

        if (persist.ReleaseTo != LogIndex.Zero)
        {
            parts.Add($"release to {persist.ReleaseTo}");
        }

        return (parts.Count > 0 ? string.Join("; ", parts) : "nothing") + (persist.MustSync ? "" : " (no sync)");
    }

    public string Describe(in RaftMessage message) => $"{message.Kind} term {message.Term}{Fields(message)}";

    private static string Vote(in RaftMessage m) => $" last {m.Index}@{m.LogTerm}{(m.Force ? " forced" : "")}";

    private static string Append(in RaftMessage m) =>
        $" after {m.Index}@{m.LogTerm} commit {m.Commit} [{Describe(m.Entries ?? [])}]";

    private static string AppendAnswer(in RaftMessage m) =>
        m.Reject ? $" refused after {m.Index}, may match at {m.HintIndex}@{m.HintTerm}" : $" holds {m.Index}";

    private static string Chunk(in RaftMessage m) =>
        $" {m.Snapshot} bytes {m.SnapshotOffset}+{m.Chunk.Length}{(m.Done ? " last" : "")}";

    private static string ChunkAnswer(in RaftMessage m) => m switch
    {
        { Reject: true } => $" failed at {m.Index}",
        { Done: true } => $" holds {m.Index}",
        _ => $" {m.Index} has {m.SnapshotOffset} bytes",
    };

    private string Fields(in RaftMessage m) => m.Kind switch
    {
        MessageKind.PreVoteRequest or MessageKind.VoteRequest => Vote(m),
        MessageKind.PreVoteResponse or MessageKind.VoteResponse => m.Reject ? " refused" : " granted",
        MessageKind.AppendRequest => Append(m),
        MessageKind.AppendResponse => AppendAnswer(m),
        MessageKind.Heartbeat => $" commit {m.Commit} round {m.Round}",
        MessageKind.HeartbeatResponse => m.Reject ? " refused" : $" round {m.Round}",
        MessageKind.Commit => $" {m.Commit}",
        MessageKind.SnapshotChunk => Chunk(m),
        MessageKind.SnapshotResponse => ChunkAnswer(m),
        MessageKind.ReadRequest => $" id {ReadId(m.Round)}",
        MessageKind.ReadResponse => $" id {ReadId(m.Round)} {(m.Reject ? "refused" : $"read at {m.Index}")}",
        MessageKind.Sleep => $" commit {m.Commit}",
        _ => "",
    };

    /// <summary>Read ids are large and drawn at random; a script numbers them as they first appear.</summary>
    private int ReadId(ulong id)
    {
        if (!_readIds.TryGetValue(id, out int number))
        {
            number = _readIds.Count + 1;
            _readIds.Add(id, number);
        }

        return number;
    }
}

using System.Globalization;
using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Resp.Commands;

/// <summary>
/// How many keys each numbered database has, at the end of INFO. Every partition is walked through for it: who asks for
/// it by name gets a count, or the error that there was; who asks for all gets one of a moment ago, or none where they
/// do not come soon.
/// </summary>
internal sealed class InfoKeys : RequestSteps
{
    /// <summary>So long an INFO that did not ask for counts waits for them, in milliseconds.</summary>
    private const int UnaskedMilliseconds = 250;

    private readonly List<(int Database, RespCall Call)> _calls = [];
    private readonly long _from = Environment.TickCount64;
    private readonly StringBuilder _text;
    private readonly bool _mustCount;

    private InfoKeys(StringBuilder text, bool mustCount)
    {
        _text = text;
        _mustCount = mustCount;
    }

    /// <summary>Finishes the request by the text and the counts, now or when they are made.</summary>
    public static void Finish(RespRequest request, StringBuilder text, bool mustCount)
    {
        RespShared shared = request.Connection.Shared;
        if (!mustCount && shared.KeyCounts.TryGet(Environment.TickCount64, out string lines))
        {
            Finish(request, text.Append(lines));
            return;
        }

        (int Database, KeyspaceView Keyspace)[] databases = [.. Databases(shared.Gateway.View)];
        if (databases.Length == 0)
        {
            Finish(request, text);
            return;
        }

        var steps = new InfoKeys(text, mustCount);
        request.Steps = steps;
        CommandLine[] count = [new CommandLine(["DBSIZE"u8.ToArray()])];
        foreach ((int database, KeyspaceView keyspace) in databases)
        {
            foreach (PartitionRecord partition in keyspace.Partitions)
            {
                var call = new RespCall(request)
                {
                    IsWide = true,
                    MillisecondsMax = mustCount ? null : UnaskedMilliseconds,
                };
                steps._calls.Add((database, call));
                request.Connection.Calls.Ask(
                    call, keyspace, new Slot((ushort)partition.FirstSlot), count, writes: false);
            }
        }
    }

    public override void Next(RespRequest request)
    {
        string? error = Scatter.ErrorOf([.. _calls.Select(each => each.Call)], writes: false);
        ReadOnlyMemory<byte>? refusal = error is null
            ? _calls.Select(each => (ReadOnlyMemory<byte>?)each.Call.Result.Reply)
                .FirstOrDefault(reply => reply!.Value.Span[0] != (byte)':')
            : null;
        if (error is null && refusal is null)
        {
            string lines = Lines();
            request.Connection.Shared.KeyCounts.Set(lines, _from, Environment.TickCount64);
            Finish(request, _text.Append(lines));
        }
        else if (!_mustCount)
        {
            Finish(request, _text);
        }
        else if (error is not null)
        {
            request.Error(error);
        }
        else
        {
            request.Finish(refusal!.Value);
        }
    }

    private static IEnumerable<(int Database, KeyspaceView Keyspace)> Databases(ClusterView view)
    {
        foreach (KeyspaceRecord record in view.State.Keyspaces)
        {
            if (NumberedDatabase.IndexOf(record.Name) is { } database
                && view.TryFind(record.Id, out KeyspaceView? keyspace))
            {
                yield return (database, keyspace);
            }
        }
    }

    private static void Finish(RespRequest request, StringBuilder text) =>
        request.Finish(Replies.Bulk(Encoding.UTF8.GetBytes(text.ToString())));

    /// <summary>As Redis does, which shows no database without keys.</summary>
    private string Lines()
    {
        var text = new StringBuilder();
        foreach (IGrouping<int, RespCall> database in _calls.GroupBy(each => each.Database, each => each.Call)
            .OrderBy(each => each.Key))
        {
            long keys = database.Sum(call => ReplyParts.IntegerOf(call.Result.Reply.Span));
            text.Append(keys > 0
                ? string.Create(CultureInfo.InvariantCulture, $"db{database.Key}:keys={keys}\r\n")
                : "");
        }

        return text.ToString();
    }
}

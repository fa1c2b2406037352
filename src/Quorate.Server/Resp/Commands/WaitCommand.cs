using System.Buffers.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Resp.Commands;

/// <summary>
/// `WAIT n timeout`: how many replicas besides the leader have synced every write of this connection, of the partition
/// where they are fewest. Where the writes' own level does not say enough, an entry that changes nothing is written
/// behind them, at a level that needs as many replicas as are asked for: who has it has all before it.
/// </summary>
internal sealed class WaitCommand : RequestSteps
{
    /// <summary>A timeout of zero, which is none for Redis, in milliseconds.</summary>
    private const long TimeoutMax = 24 * 60 * 60 * 1000;

    private static readonly CommandLine[] Line = [new CommandLine(["WAIT"u8.ToArray()])];

    private readonly List<(PartitionTrack Track, RespCall Call, long Replicas)> _asked = [];
    private readonly List<PartitionTrack> _tracks;

    private WaitCommand(List<PartitionTrack> tracks) => _tracks = tracks;

    public static void Run(RespRequest request)
    {
        CommandLine line = request.Line;
        if (!Utf8Parser.TryParse(line[1], out long wanted, out int length) || length != line[1].Length
            || !Utf8Parser.TryParse(line[2], out long timeout, out length) || length != line[2].Length)
        {
            request.Error("ERR value is not an integer or out of range");
        }
        else if (timeout < 0)
        {
            request.Error("ERR timeout is negative");
        }
        else if (Dispatch.KeyspaceOf(request) is { } keyspace)
        {
            Start(request, keyspace, wanted, timeout is 0 or > TimeoutMax ? TimeoutMax : timeout);
        }
    }

    public override void Next(RespRequest request)
    {
        foreach ((PartitionTrack track, RespCall call, long replicas) in _asked)
        {
            if (call.Result.Outcome == Outcome.Done && track.Written is { } written)
            {
                track.Written = written with { SureReplicas = Math.Max(written.SureReplicas, replicas) };
            }
        }

        Finish(request);
    }

    private static void Start(RespRequest request, KeyspaceView keyspace, long wanted, long timeout)
    {
        ConnectionCalls calls = request.Connection.Calls;
        var wait = new WaitCommand([.. calls.Written()]);
        if (wait._tracks.Count == 0)
        {
            // Nothing was written, so every replica has it all; what is said is what a write would have.
            WriteLevel level = request.Connection.Client.WriteLevel ?? ConnectionCalls.LevelOf(keyspace.Record);
            request.Finish(Replies.Integer(ConsistencyCommands.SureReplicas(keyspace.Record, level)));
            return;
        }

        request.Steps = wait;
        ClusterView view = request.Connection.Shared.Gateway.View;
        Instant deadline = request.Connection.Shared.Gateway.Now + Duration.FromMilliseconds(timeout);
        foreach (PartitionTrack track in wait._tracks)
        {
            WrittenState written = track.Written!;
            if (!view.TryFind(written.Keyspace, out KeyspaceView? own))
            {
                // It was dropped, and its writes with it.
                track.Written = null;
                continue;
            }

            for (long replicas = written.SureReplicas + 1;
                replicas <= Math.Min(wanted, written.OtherReplicas);
                replicas++)
            {
                var call = new RespCall(request);
                wait._asked.Add((track, call, replicas));
                calls.Ask(call, own, written.Slot, Line, writes: true);
                call.WriteLevel = WriteLevel.Count((int)replicas + 1);
                call.SureReplicas = replicas;
                call.Deadline = deadline;
            }
        }

        if (wait._asked.Count == 0)
        {
            wait.Finish(request);
        }
    }

    private void Finish(RespRequest request)
    {
        WrittenState[] written = [.. _tracks.Select(track => track.Written).OfType<WrittenState>()];
        request.Finish(Replies.Integer(written.Length == 0 ? 0 : written.Min(each => each.SureReplicas)));
    }
}

using System.Buffers.Text;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Resp.Commands;

/// <summary>
/// `WAIT n timeout`: how many replicas besides the leader have synced every write of this connection, of the partition
/// where they are fewest. Where the writes' own level does not say enough, an entry that changes nothing is written
/// behind them, at a level that needs as many replicas as are asked for: who has it has all before it. What was
/// acknowledged by a leader alone may not be before it, if another has led since; so a read proves that it still
/// stands.
/// </summary>
internal sealed class WaitCommand : RequestSteps
{
    /// <summary>A timeout of zero, which is none for Redis, in milliseconds.</summary>
    private const long TimeoutMax = 24 * 60 * 60 * 1000;

    private static readonly CommandLine[] Line = [new CommandLine(["WAIT"u8.ToArray()])];

    /// <summary>It looks at no row that there is; what counts is that it may be answered.</summary>
    private static readonly CommandLine[] Proof = [new CommandLine(["WAIT.PROOF"u8.ToArray()])];

    private readonly List<(PartitionTrack Track, RespCall Call, long Replicas)> _asked = [];
    private readonly List<(PartitionTrack Track, RespCall Call)> _proofs = [];
    private readonly List<PartitionTrack> _tracks;
    private Instant _deadline;

    private readonly bool _withLocal;

    private WaitCommand(List<PartitionTrack> tracks, bool withLocal)
    {
        _tracks = tracks;
        _withLocal = withLocal;
    }

    public static void Run(RespRequest request) => Run(request, withLocal: false);

    /// <summary>
    /// `WAITAOF copies replicas timeout` (Redis 7.2): nothing is acknowledged before a disk has it, so one copy is
    /// always synced, and the replicas are those of WAIT.
    /// </summary>
    public static void RunWithLocal(RespRequest request)
    {
        if (TryNumber(request.Line, 1, out long copies) && copies is not (0 or 1))
        {
            request.Error("ERR value is out of range, must be between 0 and 1");
        }
        else
        {
            Run(request, withLocal: true);
        }
    }

    private static void Run(RespRequest request, bool withLocal)
    {
        CommandLine line = request.Line;
        int last = line.Count - 1;
        long copies = 0;
        if ((withLocal && !TryNumber(line, 1, out copies))
            || !TryNumber(line, last - 1, out long wanted) || !TryNumber(line, last, out long timeout))
        {
            request.Error("ERR value is not an integer or out of range");
        }
        else if (timeout < 0)
        {
            request.Error("ERR timeout is negative");
        }
        else if (Dispatch.SettingsOf(request) is { } keyspace)
        {
            Start(request, keyspace, wanted, timeout is 0 or > TimeoutMax ? TimeoutMax : timeout, withLocal);
        }
    }

    public override void Next(RespRequest request)
    {
        if (_proofs.Count == 0)
        {
            AskForProofs(request);
        }

        if (request.Pending > 0)
        {
            return;
        }

        foreach ((_, RespCall call) in _proofs)
        {
            if (call.Result is { Outcome: not Outcome.Done, Reason: DropReason.SessionLost })
            {
                request.Error(Outcomes.ErrorOf(call));
                return;
            }
        }

        foreach ((PartitionTrack track, RespCall call, long replicas) in _asked)
        {
            if (call.Result.Outcome == Outcome.Done && track.Written is { HasForgotten: false } written
                && IsProven(track))
            {
                track.Written = written with
                {
                    SureReplicas = Math.Max(written.SureReplicas, replicas),
                    Unproven = [],
                };
            }
        }

        Finish(request);
    }

    /// <summary>
    /// Behind the entries, not before: a leadership that changed between the two would make a proof worth nothing.
    /// </summary>
    private void AskForProofs(RespRequest request)
    {
        ClusterView view = request.Connection.Shared.Gateway.View;
        foreach (PartitionTrack track in _asked.Where(each => each.Call.Result.Outcome == Outcome.Done)
            .Select(each => each.Track).Distinct())
        {
            if (track.Written is not { } written || !view.TryFind(written.Keyspace, out KeyspaceView? own)
                || !Guards.WaitProvesWhatItCounts)
            {
                continue;
            }

            foreach (ReadToken token in written.Unproven)
            {
                var call = new RespCall(request) { Proves = token };
                _proofs.Add((track, call));
                request.Connection.Calls.Ask(call, own, written.Slot, Proof, writes: false);
                call.ReadLevel = ReadLevel.Session;
                call.Token = token;
                call.Deadline = _deadline;
            }
        }
    }

    private bool IsProven(PartitionTrack track) =>
        _proofs.TrueForAll(proof => proof.Track != track || proof.Call.Result.Outcome == Outcome.Done);

    private static bool TryNumber(CommandLine line, int word, out long number) =>
        Utf8Parser.TryParse(line[word], out number, out int length) && length == line[word].Length;

    private static void Start(
        RespRequest request, KeyspaceView keyspace, long wanted, long timeout, bool withLocal)
    {
        ConnectionCalls calls = request.Connection.Calls;
        var wait = new WaitCommand([.. calls.Written()], withLocal);
        if (wait._tracks.Count == 0)
        {
            // Nothing was written, so every replica has it all; what is said is what a write would have.
            WriteLevel level = request.Connection.Client.WriteLevel ?? ConnectionCalls.LevelOf(keyspace.Record);
            wait.Answer(request, ConsistencyCommands.SureReplicas(keyspace.Record, level));
            return;
        }

        request.Steps = wait;
        ClusterView view = request.Connection.Shared.Gateway.View;
        wait._deadline = request.Connection.Shared.Gateway.Now + Duration.FromMilliseconds(timeout);
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
                call.Deadline = wait._deadline;
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
        Answer(request, written.Length == 0 ? 0 : written.Min(each => each.SureReplicas));
    }

    private void Answer(RespRequest request, long replicas) => request.Finish(!_withLocal
        ? Replies.Integer(replicas)
        : Replies.Of(reply =>
        {
            reply.Array(2);
            reply.Integer(1);
            reply.Integer(replicas);
        }));
}

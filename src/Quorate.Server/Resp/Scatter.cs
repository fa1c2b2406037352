using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;
using Quorate.Protocol;
using Quorate.Server.Resp.ClusterMode;

namespace Quorate.Server.Resp;

/// <summary>
/// A command that runs as parts in several partitions, each by itself: not atomic. When some parts took effect and
/// others did not, the outcome of the whole is unknown, never refused.
/// </summary>
internal sealed class Scatter : RequestSteps
{
    /// <summary>A longer reply is not put together: it is written from those of the parts, in bytes.</summary>
    private const long JoinedBytesMax = 64 * 1024;

    private readonly List<CommandPart>? _parts;
    private readonly List<RespCall> _calls = [];

    private Scatter(List<CommandPart>? parts) => _parts = parts;

    public static void Start(RespRequest request, KeyspaceView keyspace, in CommandRoute route)
    {
        CommandSpec spec = route.Spec!;
        switch (spec.Scattering)
        {
            case Scattering.PartitionsArray or Scattering.PartitionsFirst
                or Scattering.PartitionsOk or Scattering.PartitionsSum:
                StartWide(request, keyspace, spec);
                break;
            case Scattering.None when route.Kind == RouteKind.SeveralSlots:
                request.Error($"{ErrorCodes.CrossSlot} Keys in request don't hash to the same slot");
                break;
            case Scattering.None:
                // It names no key where it should: any partition knows the error.
                request.Connection.Calls.Ask(request.Call, keyspace, default, request.OwnLines(), writes: false);
                break;
            default:
                StartParts(request, keyspace, spec);
                break;
        }
    }

    /// <summary>
    /// FLUSHALL: the command on every numbered database that there is, and on the connection's keyspace.
    /// </summary>
    public static void StartAll(RespRequest request, CommandSpec spec)
    {
        if (!request.HasSeenMap)
        {
            // One that another node has made, and this one has not heard of, must not be passed by.
            NumberedDatabase.LookForAll(request);
            return;
        }

        ClusterView view = request.Connection.Shared.Gateway.View;
        string own = request.Connection.Client.Keyspace;
        var scatter = new Scatter(null);
        request.Steps = scatter;
        foreach (KeyspaceRecord record in view.State.Keyspaces)
        {
            if ((NumberedDatabase.IndexOf(record.Name) is not null || record.Name == own)
                && view.TryFind(record.Id, out KeyspaceView? keyspace))
            {
                scatter.AskAll(request, keyspace, spec, first: 0);
            }
        }

        scatter.FinishIfNone(request);
    }

    public override void Next(RespRequest request)
    {
        if (ErrorOf(_calls, request.Spec!.Kind == CommandKind.Write) is { } error)
        {
            request.Error(error);
            return;
        }

        long bytes = 0;
        var replies = new ReadOnlyMemory<byte>[_calls.Count];
        for (int i = 0; i < replies.Length; i++)
        {
            replies[i] = _calls[i].Result.Reply;
            bytes += replies[i].Length;
        }

        long bytesMax = request.Connection.Shared.Settings.GatheredBytesMax;
        if (bytes > bytesMax)
        {
            request.Error($"ERR the reply of all partitions together exceeds {bytesMax} bytes; use SCAN");
            return;
        }

        if (bytes > JoinedBytesMax && !request.IsPart && _parts is not null
            && ScatteredCommand.ElementsOf(request.Spec, _parts, replies) is { } elements)
        {
            foreach (RespCall call in _calls)
            {
                // From here on each part lives as long as it has something to write.
                call.ForgetReply();
            }

            request.Finish(elements);
            return;
        }

        var reply = new Reply();
        if (_parts is null)
        {
            ScatteredCommand.Gather(request.Spec, replies, reply);
        }
        else
        {
            ScatteredCommand.Gather(request.Spec, _parts, replies, reply);
        }

        request.Finish(reply.Take());
    }

    /// <summary>Why the whole was not done; null when every part was.</summary>
    public static string? ErrorOf(List<RespCall> calls, bool writes)
    {
        int done = 0;
        RespCall? worst = null;
        foreach (RespCall call in calls)
        {
            if (call.Result.Outcome == Outcome.Done)
            {
                done++;
            }
            else if (worst is null || call.Result.Outcome == Outcome.Unknown)
            {
                worst = call;
            }
        }

        if (worst is null)
        {
            return null;
        }

        string error = Outcomes.ErrorOf(worst);
        bool isPartly = writes && done > 0;
        return isPartly
            ? $"{ErrorCodes.Unknown} {done} of {calls.Count} parts of the command were done, in as many partitions; of "
                + $"another: {error}"
            : error;
    }

    private static void StartParts(RespRequest request, KeyspaceView keyspace, CommandSpec spec)
    {
        List<CommandPart> parts =
            ScatteredCommand.Split(spec, request.Line, slot => (int)keyspace.PartitionOf(slot).Group);
        var scatter = new Scatter(parts);
        request.Steps = scatter;
        foreach (CommandPart part in parts)
        {
            RespCall call = scatter.NextCall(request);
            Slot slot = KeyHash.SlotOf(part.Line[spec.Keys.First]);
            int last = spec.Keys.LastIn(part.Line);
            ulong slots = 0;
            for (int word = spec.Keys.First; word <= last; word += spec.Keys.Step)
            {
                slots |= RespCall.BitOf(KeyHash.SlotOf(part.Line[word]));
            }

            call.SlotBits = slots;
            request.Connection.Calls.Ask(call, keyspace, slot, [part.Line], spec.Kind == CommandKind.Write);
        }
    }

    private static void StartWide(RespRequest request, KeyspaceView keyspace, CommandSpec spec)
    {
        var scatter = new Scatter(null);
        request.Steps = scatter;

        // The first of several answers is taken of some commands, and it should not always be the same partition's.
        int first = spec.Scattering == Scattering.PartitionsFirst
            ? Random.Shared.Next(keyspace.Partitions.Count)
            : 0;
        scatter.AskAll(request, keyspace, spec, first);
        scatter.FinishIfNone(request);
    }

    /// <summary>On the cluster endpoint of a node that serves no slot there is nothing.</summary>
    private void FinishIfNone(RespRequest request)
    {
        if (_calls.Count == 0)
        {
            request.Steps = null;
            request.Finish(Dispatch.EmptyReply(request, request.OwnLines(), isBatch: false));
        }
    }

    private void AskAll(RespRequest request, KeyspaceView keyspace, CommandSpec spec, int first)
    {
        IReadOnlyList<PartitionRecord> own = SlotOwners.OwnOf(request.Connection, keyspace);
        for (int i = 0; i < own.Count; i++)
        {
            PartitionRecord partition = own[(first + i) % own.Count];
            RespCall call = NextCall(request);
            call.IsWide = true;
            request.Connection.Calls.Ask(
                call,
                keyspace,
                new Slot((ushort)partition.FirstSlot),
                request.OwnLines(),
                spec.Kind == CommandKind.Write);
        }
    }

    private RespCall NextCall(RespRequest request)
    {
        RespCall call = _calls.Count == 0 ? request.Call : new RespCall(request) { Session = request.Call.Session };
        _calls.Add(call);
        return call;
    }
}

using System.Globalization;
using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Resp.Commands;

/// <summary>
/// KEYSPACE WHERE key: which slot and partition a key belongs to, who leads that and has it, and what this node is to
/// it. Nothing is read of the key itself, so it is answered whether the key exists or not.
/// </summary>
internal sealed class KeyspaceWhere : RequestSteps
{
    private readonly KeyspaceView _keyspace;
    private readonly Slot _slot;
    private PartitionReport? _report;

    private KeyspaceWhere(KeyspaceView keyspace, Slot slot)
    {
        _keyspace = keyspace;
        _slot = slot;
    }

    public static void Run(RespRequest request)
    {
        if (Dispatch.KeyspaceOf(request) is not { } keyspace)
        {
            return;
        }

        INodeGateway gateway = request.Connection.Shared.Gateway;
        var steps = new KeyspaceWhere(keyspace, KeyHash.SlotOf(request.Line[2]));
        var group = new GroupId(keyspace.PartitionOf(steps._slot).Group);
        request.Steps = steps;
        request.Pending++;
        try
        {
            gateway.Post(node =>
            {
                steps._report = node.ReportOf(group);
                request.Connection.OnCompleted(request.Call);
            });
        }
        catch (InvalidOperationException)
        {
            // Too much waits for the node: the map alone is told.
            request.Connection.OnCompleted(request.Call);
        }
    }

    public override void Next(RespRequest request)
    {
        ClusterView view = request.Connection.Shared.Gateway.View;
        PartitionRecord row = _keyspace.PartitionOf(_slot);
        NodeId? leader = _report?.Leader;
        uint[] replicas = [.. row.Voters.Concat(row.Learners).Select(packed => ReplicaId.FromPacked(packed).Node)];
        string role = leader == view.Self ? "primary"
            : replicas.Contains(view.Self.Value) ? "replica"
            : "none";
        (string Name, string Value)[] fields =
        [
            ("keyspace", _keyspace.Record.Name),
            ("slot", Text(_slot.Value)),
            ("partition", $"{_keyspace.Record.Name}/{Text(_keyspace.NumberOf(row))}"),
            ("slots", $"{Text(row.FirstSlot)}-{Text(row.LastSlot)}"),
            ("node", Text(view.Self.Value)),
            ("role", role),
            ("leader", leader is { } known ? Text(known.Value) : ""),
            ("leader-address", leader is { } node ? AddressOf(view, node.Value) : ""),
            ("replicas", string.Join(' ', replicas.Select(each => Text(each)))),
            ("replica-addresses", string.Join(' ', replicas.Select(each => AddressOf(view, each)))),
        ];
        request.Finish(Replies.Of(reply =>
        {
            reply.Map(fields.Length);
            foreach ((string name, string value) in fields)
            {
                reply.Bulk(Encoding.ASCII.GetBytes(name));
                reply.Bulk(Encoding.UTF8.GetBytes(value));
            }
        }));
    }

    private static string AddressOf(ClusterView view, uint node) =>
        view.State.Nodes.FirstOrDefault(record => record.Id == node)?.RespAddress ?? "";

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Text;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Resp.ClusterMode;

/// <summary>The slots of the cluster endpoint's keyspace and who serves them, as Redis Cluster tells it.</summary>
internal sealed class SlotMap
{
    private readonly ClusterView _view;
    private readonly LeaderBoard _board;

    public SlotMap(ClusterView view, ClusterEndpoint endpoint, KeyspaceView keyspace)
    {
        _view = view;
        _board = endpoint.Leaders;
        Self = SlotOwners.Self(view, endpoint);
        var runs = new List<Run>();
        foreach (PartitionRecord partition in keyspace.Partitions)
        {
            NodeRecord owner = SlotOwners.Elsewhere(view, endpoint, partition) ?? Self;
            NodeRecord[] replicas = [.. SlotOwners.Replicas(view, endpoint, partition, owner.Id)];
            if (runs.Count > 0 && runs[^1].IsLike(owner, replicas))
            {
                runs[^1] = runs[^1] with { Last = partition.LastSlot };
            }
            else
            {
                runs.Add(new(partition.FirstSlot, partition.LastSlot, owner, replicas));
            }
        }

        Runs = runs;
        Nodes =
        [
            .. view.State.Nodes
                .Where(node => node.State != NodeState.Removed && node.ClusterAddress.Length > 0
                    && node.ClusterKeyspace == endpoint.Keyspace && node.Id != Self.Id)
                .Append(Self).OrderBy(node => node.Id),
        ];
    }

    public NodeRecord Self { get; }

    /// <summary>Ascending; they cover every slot once.</summary>
    public IReadOnlyList<Run> Runs { get; }

    /// <summary>All nodes that have such an endpoint, by id.</summary>
    public IReadOnlyList<NodeRecord> Nodes { get; }

    /// <summary>How a node is called: 40 hexadecimal digits, from the cluster's id and its own.</summary>
    public static string NameOf(ClusterView view, uint node) =>
        string.Create(CultureInfo.InvariantCulture, $"{view.State.Cluster:x32}{node:x8}");

    public void WriteSlots(Reply reply)
    {
        reply.Array(Runs.Count);
        foreach (Run run in Runs)
        {
            reply.Array(3 + run.Replicas.Length);
            reply.Integer(run.First);
            reply.Integer(run.Last);
            WriteSlotNode(reply, run.Owner);
            foreach (NodeRecord replica in run.Replicas)
            {
                WriteSlotNode(reply, replica);
            }
        }
    }

    public void WriteShards(Reply reply)
    {
        reply.Array(Nodes.Count);
        foreach (NodeRecord node in Nodes)
        {
            Run[] own = [.. Runs.Where(run => run.Owner.Id == node.Id)];
            reply.Map(2);
            Text(reply, "slots");
            reply.Array(2 * own.Length);
            foreach (Run run in own)
            {
                reply.Integer(run.First);
                reply.Integer(run.Last);
            }

            Text(reply, "nodes");
            reply.Array(1);
            (string host, int port) = Split(node.ClusterAddress);
            reply.Map(7);
            Text(reply, "id");
            Text(reply, NameOf(_view, node.Id));
            Text(reply, "port");
            reply.Integer(port);
            Text(reply, "ip");
            Text(reply, host);
            Text(reply, "endpoint");
            Text(reply, host);
            Text(reply, "role");
            Text(reply, "master");
            Text(reply, "replication-offset");
            reply.Integer(0);
            Text(reply, "health");
            Text(reply, IsAlive(node) ? "online" : "fail");
        }
    }

    /// <summary>As CLUSTER NODES has it: a line for each.</summary>
    public string ToLines()
    {
        var text = new StringBuilder();
        foreach (NodeRecord node in Nodes)
        {
            (string host, int port) = Split(node.ClusterAddress);
            string flags = node.Id == Self.Id ? "myself,master" : IsAlive(node) ? "master" : "master,fail";
            string link = IsAlive(node) ? "connected" : "disconnected";
            text.Append(
                CultureInfo.InvariantCulture,
                $"{NameOf(_view, node.Id)} {host}:{port}@{port} {flags} - 0 0 {_view.Version} {link}");
            foreach (Run run in Runs.Where(run => run.Owner.Id == node.Id))
            {
                text.Append(CultureInfo.InvariantCulture, $" {run.First}");
                if (run.Last != run.First)
                {
                    text.Append(CultureInfo.InvariantCulture, $"-{run.Last}");
                }
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>It is this node, or one that this node hears. Redis asks a majority before it says `fail`; here the
    /// node that is asked says what it sees.</summary>
    private bool IsAlive(NodeRecord node) => node.Id == Self.Id || _board.Hears(new(node.Id));

    private void WriteSlotNode(Reply reply, NodeRecord node)
    {
        (string host, int port) = Split(node.ClusterAddress);
        reply.Array(4);
        Text(reply, host);
        reply.Integer(port);
        Text(reply, NameOf(_view, node.Id));
        reply.Array(0);
    }

    private static void Text(Reply reply, string text) => reply.Bulk(Encoding.UTF8.GetBytes(text));

    /// <summary>Host and port of an address that the settings have let through.</summary>
    private static (string Host, int Port) Split(string address)
    {
        int at = address.LastIndexOf(':');
        return (
            address[..at].Trim('[', ']'),
            int.Parse(address.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture));
    }

    /// <summary>Slots that lie together, with the same nodes.</summary>
    internal sealed record Run(uint First, uint Last, NodeRecord Owner, NodeRecord[] Replicas)
    {
        public bool IsLike(NodeRecord owner, NodeRecord[] replicas) => Owner.Id == owner.Id
            && Replicas.Select(node => node.Id).SequenceEqual(replicas.Select(node => node.Id));
    }
}

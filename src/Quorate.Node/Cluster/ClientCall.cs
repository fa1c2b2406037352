using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Storage.Rows;

namespace Quorate.Node.Cluster;

/// <summary>
/// What a client asks of one partition, as an edge (RESP, HTTP) hands it to any node. The node finds the partition's
/// leader, wherever that is, and asks again while the request has surely not been executed and its deadline has not
/// come.
/// <para>Invariant: completed once, on whatever thread drives the node; it must only pass the word on.</para>
/// </summary>
public abstract class ClientCall
{
    /// <summary>The keyspace's id in the metadata.</summary>
    public uint Keyspace { get; set; }

    /// <summary>The slot of its keys; for a request about a whole partition, the partition's first slot.</summary>
    public Slot Slot { get; set; }

    /// <summary>One command, or several that take effect together. The words' memory stays until completion.</summary>
    public CommandLine[] Lines { get; set; } = [];

    /// <summary>
    /// Several commands of which one's error does not hinder the others; the reply is an array of theirs.
    /// </summary>
    public bool IsBatch { get; set; }

    /// <summary>One of the lines may change rows.</summary>
    public bool Writes { get; set; }

    public WriteLevel WriteLevel { get; set; }

    public ReadLevel ReadLevel { get; set; }

    /// <summary>Reads at level `session`: what the client has seen of this partition.</summary>
    public ReadToken Token { get; set; }

    /// <summary>Null for a client that does not number its requests.</summary>
    public SessionRequest? Session { get; set; }

    /// <summary>On the node's monotonic clock.</summary>
    public Instant Deadline { get; set; }

    /// <summary>Of its words, in bytes.</summary>
    public long Bytes
    {
        get
        {
            long bytes = 0;
            foreach (CommandLine line in Lines)
            {
                for (int word = 0; word < line.Count; word++)
                {
                    bytes += line[word].Length;
                }
            }

            return bytes;
        }
    }

    public abstract void Complete(in CallResult result);
}

/// <summary>How a <see cref="ClientCall"/> ended.</summary>
/// <param name="Outcome">Done, surely not executed, or unknown.</param>
/// <param name="Reason">Why it was not done; counts only when it was not.</param>
/// <param name="Group">The partition that decided; the token is about it.</param>
/// <param name="Token">Done: what the client has seen.</param>
/// <param name="Version">Done, and something was written: the version of the last write.</param>
/// <param name="Reply">Done: RESP3 (see <see cref="Evaluation.Reply"/>).</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct CallResult(
    Outcome Outcome,
    DropReason Reason,
    GroupId Group,
    ReadToken Token,
    RowVersion Version,
    ReadOnlyMemory<byte> Reply);

using System.Globalization;
using Quorate.Core.Checking;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// What a client wants of one key, which it may ask of several nodes one after the other.
/// </summary>
internal sealed class ClusterOperation
{
    public required int Id { get; init; }

    public required int Client { get; init; }

    public required string Keyspace { get; init; }

    /// <summary>From zero: registers first, then as many counters.</summary>
    public required int Key { get; init; }

    public required OperationKind Kind { get; init; }

    public long Argument { get; init; }

    public ReadLevel Level { get; init; }

    /// <summary>Null for a client that does not number its requests.</summary>
    public SessionRequest? Session { get; init; }

    public required long Invoked { get; init; }

    /// <summary>When the client knew how it ended, in true time; null while it does not.</summary>
    public long? Returned { get; set; }

    /// <summary>The keyspace's id in the metadata, as the first node that knew it said.</summary>
    public uint? KeyspaceId { get; set; }

    /// <summary>Nodes that took it.</summary>
    public int Attempts { get; set; }

    /// <summary>Attempts that came to nothing.</summary>
    public int Tries { get; set; }

    /// <summary>An attempt that nobody knows the end of: what came later says nothing of it.</summary>
    public bool MayHaveRun { get; set; }

    public Outcome Outcome { get; set; } = Outcome.Unknown;

    /// <summary>Done: the value that was read, or the sum.</summary>
    public long Result { get; set; }

    public bool IsWrite => Kind != OperationKind.Read;

    /// <summary>Of all keys of all keyspaces.</summary>
    public long GlobalKey => ((long)KeyspaceId!.Value << 16) | (uint)Key;

    public override string ToString()
    {
        string what = Kind switch
        {
            OperationKind.Read => $"read {Level}",
            OperationKind.Write => string.Create(CultureInfo.InvariantCulture, $"set {Argument}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"add {Argument}"),
        };
        string number = Session is { } session ? $" as {session.Session:x}:{session.Number}" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"operation {Id} of client {Client + 1}: {what} of {Keyspace}/k{Key}{number}");
    }
}

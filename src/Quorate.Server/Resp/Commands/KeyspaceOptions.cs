using System.Buffers.Text;
using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Resp.Commands;

/// <summary>
/// The options of KEYSPACE CREATE and ALTER, pairs of a name and a value, written into a record. What a keyspace may be
/// is judged by the metadata group; here only what is no value at all is refused.
/// </summary>
internal sealed class KeyspaceOptions(KeyspaceRecord record, bool isNew)
{
    private const int PartitionsDefault = 16;

    private const string Usage =
        "ERR syntax error: KEYSPACE CREATE name [REPLICATION raft] [PARTITIONS p] [REPLICAS n] [VOTERS n] "
        + "[WRITE majority|leader|all|n] [READ linearizable|session|eventual] [TTL ms] [COMPRESS none|snappy] "
        + "[ENCRYPT on|off] [EVICTION policy] [BYTES n]; KEYSPACE ALTER name takes WRITE, READ, TTL, "
        + "EVICTION and BYTES";

    private static readonly (string Name, Eviction Value)[] Evictions =
    [
        ("none", Eviction.None),
        ("all-lru", Eviction.AllLru),
        ("all-lfu", Eviction.AllLfu),
        ("all-random", Eviction.AllRandom),
        ("volatile-lru", Eviction.VolatileLru),
        ("volatile-ttl", Eviction.VolatileTtl),
    ];

    private bool _hasVoters;

    public KeyspaceRecord Record { get; } = record;

    public int Partitions { get; private set; } = PartitionsDefault;

    public static string TextOf(Eviction eviction) => Array.Find(Evictions, each => each.Value == eviction).Name;

    /// <summary>Reads the options from a word on; what is wrong with them, or null.</summary>
    public string? ErrorIn(CommandLine line, int from)
    {
        for (int word = from; word < line.Count; word += 2)
        {
            if (word + 1 == line.Count)
            {
                return Usage;
            }

            string option = Encoding.Latin1.GetString(line[word][..Math.Min(line[word].Length, 16)]).ToUpperInvariant();
            if (!TryAlterable(option, line[word + 1]) && !(isNew && TryNew(option, line[word + 1])))
            {
                return Usage;
            }
        }

        if (isNew && !_hasVoters)
        {
            Record.Voters = Record.Replicas;
        }

        return null;
    }

    private bool TryAlterable(string option, ReadOnlySpan<byte> value)
    {
        switch (option)
        {
            case "WRITE" when ConsistencyCommands.WriteLevelOf(value) is { } level:
                Record.WriteLevel = (LevelKind)level.Kind;
                Record.WriteLevelCount = (uint)level.Replicas;
                return true;
            case "READ" when ConsistencyCommands.ReadLevelOf(value) is { } level:
                Record.ReadLevel = (ReadLevelKind)level;
                return true;
            case "TTL" when TryNumber(value, out long number):
                Record.TtlMilliseconds = (ulong)number;
                return true;
            case "BYTES" when TryNumber(value, out long number):
                Record.BytesMax = (ulong)number;
                return true;
            case "EVICTION":
                foreach ((string name, Eviction eviction) in Evictions)
                {
                    if (CommandNames.Is(value, name))
                    {
                        Record.Eviction = eviction;
                        return true;
                    }
                }

                return false;
            default:
                return false;
        }
    }

    private bool TryNew(string option, ReadOnlySpan<byte> value)
    {
        long number;
        switch (option)
        {
            case "REPLICATION":
                return CommandNames.Is(value, "RAFT");
            case "PARTITIONS" when TryNumber(value, out number) && number <= int.MaxValue:
                Partitions = (int)number;
                return true;
            case "REPLICAS" when TryNumber(value, out number) && number <= int.MaxValue:
                Record.Replicas = (uint)number;
                return true;
            case "VOTERS" when TryNumber(value, out number) && number <= int.MaxValue:
                Record.Voters = (uint)number;
                _hasVoters = true;
                return true;
            case "COMPRESS" when CommandNames.Is(value, "NONE") || CommandNames.Is(value, "SNAPPY"):
                Record.Compression = CommandNames.Is(value, "SNAPPY") ? Compression.Snappy : Compression.None;
                return true;
            case "ENCRYPT" when CommandNames.Is(value, "ON") || CommandNames.Is(value, "OFF"):
                Record.Encrypted = CommandNames.Is(value, "ON");
                return true;
            default:
                return false;
        }
    }

    private static bool TryNumber(ReadOnlySpan<byte> word, out long number) =>
        Utf8Parser.TryParse(word, out number, out int length) && length == word.Length && number >= 0;
}

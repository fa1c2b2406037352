using System.Text;

namespace Quorate.Cli.Resp;

/// <summary>What a reply is.</summary>
internal enum RespKind
{
    Null,

    /// <summary>A word of the protocol itself, as OK.</summary>
    Simple,

    Error,
    Number,

    /// <summary>Bytes; also a verbatim text.</summary>
    Text,

    /// <summary>Members in order; also a set.</summary>
    Array,

    /// <summary>Keys and values in turn.</summary>
    Map,

    /// <summary>Nobody has asked for it.</summary>
    Push,
}

/// <summary>A reply of the Redis protocol, version 2 or 3, whole.</summary>
/// <param name="Bytes">Of what has no members: its text.</param>
/// <param name="Items">Members; of a map keys and values in turn.</param>
internal sealed record RespValue(RespKind Kind, byte[] Bytes, RespValue[] Items)
{
    public static readonly RespValue Null = new(RespKind.Null, [], []);

    public string Text => Encoding.UTF8.GetString(Bytes);

    public bool IsError => Kind == RespKind.Error;

    /// <summary>The value of a field of a map; null when there is none.</summary>
    public string? this[string field]
    {
        get
        {
            for (int i = 0; i + 1 < Items.Length; i += 2)
            {
                if (string.Equals(Items[i].Text, field, StringComparison.Ordinal))
                {
                    return Items[i + 1].Text;
                }
            }

            return null;
        }
    }
}

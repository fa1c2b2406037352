using System.Buffers.Binary;
using System.Buffers.Text;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// A string under a key. An integer in canonical form is kept as eight bytes (<see cref="RowType.Integer"/>), anything
/// else as it is (<see cref="RowType.Text"/>); nobody who reads it can tell. One that was written as a JSON number,
/// true, false or null is kept as that text (<see cref="RowType.JsonScalar"/>), and whoever counts it up leaves it
/// such.
/// </summary>
internal readonly ref struct StringValue
{
    private readonly ReadOnlySpan<byte> _value;
    private readonly bool _isPacked;

    /// <param name="expiryOfNew">Of a string that does not stand there yet.</param>
    public StringValue(scoped in Row row, long expiryOfNew = 0)
    {
        Exists = !row.IsTombstone;
        IsString = row.Type is RowType.Tombstone or RowType.Text or RowType.Integer or RowType.JsonScalar;
        IsJsonScalar = row.Type == RowType.JsonScalar;
        _isPacked = row.Type == RowType.Integer;
        Expiry = Exists ? row.Expiry : expiryOfNew;
        Version = row.Version;
        _value = row.Value;
        Integer = 0;
        IsInteger = _isPacked || (IsJsonScalar && Words.TryInteger(_value, out _));
        if (_isPacked)
        {
            Integer = BinaryPrimitives.ReadInt64LittleEndian(_value);
        }
        else if (IsInteger && Words.TryInteger(_value, out long integer))
        {
            Integer = integer;
        }
    }

    public bool Exists { get; }

    /// <summary>Whether nothing of another type stands under the key.</summary>
    public bool IsString { get; }

    public bool IsInteger { get; }

    /// <summary>It was written as a JSON number, true, false or null.</summary>
    public bool IsJsonScalar { get; }

    public long Expiry { get; }

    public RowVersion Version { get; }

    /// <summary>Of an <see cref="IsInteger"/>.</summary>
    public long Integer { get; }

    /// <summary>Its bytes as a client sees them; empty when there is none.</summary>
    public ReadOnlySpan<byte> Text
    {
        get
        {
            if (!_isPacked)
            {
                return _value;
            }

            byte[] text = new byte[Words.IntegerBytesMax];
            Utf8Formatter.TryFormat(Integer, text, out int length);
            return text.AsSpan(0, length);
        }
    }

    /// <summary>
    /// Reads the string under a key; false when it is cold, or when something else stands there, which has then been
    /// answered.
    /// </summary>
    public static bool TryRead(CommandContext context, ReadOnlySpan<byte> rowKey, out StringValue value)
    {
        value = default;
        if (!context.TryGet(rowKey, out Row row))
        {
            return false;
        }

        value = new StringValue(row, context.DefaultExpiry);
        if (!value.IsString)
        {
            context.Reply.Error(Errors.WrongType);
        }

        return value.IsString;
    }

    public static void Write(CommandContext context, ReadOnlySpan<byte> rowKey, ReadOnlySpan<byte> text, long expiry)
    {
        if (Words.TryInteger(text, out long integer))
        {
            Write(context, rowKey, integer, expiry);
        }
        else
        {
            context.Put(rowKey, RowType.Text, expiry, text);
        }
    }

    public static void Write(CommandContext context, ReadOnlySpan<byte> rowKey, long integer, long expiry)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, integer);
        context.Put(rowKey, RowType.Integer, expiry, bytes);
    }

    /// <summary>Writes another number in the place of this one, which stays what it is in JSON.</summary>
    public void Renumber(CommandContext context, ReadOnlySpan<byte> rowKey, ReadOnlySpan<byte> text)
    {
        if (IsJsonScalar)
        {
            context.Put(rowKey, RowType.JsonScalar, Expiry, text);
        }
        else
        {
            Write(context, rowKey, text, Expiry);
        }
    }

    /// <summary>Writes its bytes as a reply; null when there is none.</summary>
    public void ReplyTo(Reply reply)
    {
        if (!Exists)
        {
            reply.Null();
        }
        else if (_isPacked)
        {
            reply.BulkInteger(Integer);
        }
        else
        {
            reply.Bulk(_value);
        }
    }
}

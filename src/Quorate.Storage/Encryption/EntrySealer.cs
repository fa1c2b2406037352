using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Encryption;

/// <summary>What came of opening a sealed entry.</summary>
public enum EntryOpening : byte
{
    Opened,

    /// <summary>It is too short, or begins as no sealed entry does.</summary>
    NotSealed,

    /// <summary>Its data key is not held here.</summary>
    UnknownKey,

    /// <summary>It was changed after it was sealed, or sealed for another partition or another place.</summary>
    Tampered,
}

/// <summary>
/// Seals the payload of a partition's entries before it reaches log or wire, and opens it: format (1 byte), id of the
/// data key (4), nonce (12), the payload encrypted, tag (16); little-endian. The key is derived from the data key and
/// the partition's id; format, key id, partition, term and index are authenticated, so that an entry counts only at the
/// place for which it was sealed.
/// <para>Invariant: no nonce is used twice under a key. It is 8 random bytes drawn at the start, and again before the
/// counter of 4 bytes behind them would come round; two starts among 2^20 share theirs with a chance of 2^-25.</para>
/// </summary>
public sealed class EntrySealer(KeyRing keys, GroupId partition, IEntropy entropy, uint entriesPerSalt = uint.MaxValue)
    : IDisposable
{
    /// <summary>What sealing adds to a payload, in bytes.</summary>
    public const int OverheadBytes = HeaderBytes + BlockCipher.TagBytes;

    private const byte Format = 0xE2;
    private const int NonceAt = 5;
    private const int NonceBytes = 12;
    private const int SaltBytes = 8;
    private const int HeaderBytes = NonceAt + NonceBytes;
    private const int PartitionAt = NonceAt;
    private const int TermAt = PartitionAt + sizeof(uint);
    private const int IndexAt = TermAt + sizeof(ulong);
    private const int AssociatedBytes = IndexAt + sizeof(ulong);

    private readonly SortedDictionary<uint, AesGcm> _ciphers = [];
    private readonly byte[] _salt = new byte[SaltBytes];
    private uint _counter;
    private bool _hasSalt;

    public void Dispose()
    {
        foreach (AesGcm cipher in _ciphers.Values)
        {
            cipher.Dispose();
        }

        _ciphers.Clear();
    }

    /// <summary>The key of a sealed entry, for whoever registers what refers to it.</summary>
    public static uint KeyIdOf(ReadOnlySpan<byte> entry) =>
        IsSealed(entry) ? BinaryPrimitives.ReadUInt32LittleEndian(entry[1..]) : DataKey.NoId;

    /// <summary>Whether it begins, and is long enough, as a sealed entry.</summary>
    public static bool IsSealed(ReadOnlySpan<byte> entry) => entry.Length >= OverheadBytes && entry[0] == Format;

    /// <summary>Whether the key that it is sealed with, if it is, is here.</summary>
    public bool HoldsKeyOf(ReadOnlySpan<byte> entry) => !IsSealed(entry) || keys.Find(KeyIdOf(entry)) is not null;

    /// <summary>Appends the sealed payload of the entry that will stand at this place.</summary>
    public void Seal(uint keyId, ReadToken place, ReadOnlySpan<byte> payload, IBufferWriter<byte> output)
    {
        Invariant.Check(keys.MayEncrypt(keyId), "a key that encrypts is durable and not retired");
        Span<byte> to = output.GetSpan(payload.Length + OverheadBytes)[..(payload.Length + OverheadBytes)];
        to[0] = Format;
        BinaryPrimitives.WriteUInt32LittleEndian(to[1..], keyId);
        WriteNonce(to.Slice(NonceAt, NonceBytes));
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        WriteAssociated(associated, to, place);
        CipherOf(keyId)!.Encrypt(
            to.Slice(NonceAt, NonceBytes), payload, to[HeaderBytes..^BlockCipher.TagBytes],
            to[^BlockCipher.TagBytes..], associated);
        output.Advance(to.Length);
    }

    /// <summary>
    /// Appends the payload of a sealed entry that stands at this place; nothing when it could not be opened.
    /// </summary>
    public EntryOpening TryOpen(ReadToken place, ReadOnlySpan<byte> entry, IBufferWriter<byte> output)
    {
        if (!IsSealed(entry))
        {
            return EntryOpening.NotSealed;
        }

        if (CipherOf(KeyIdOf(entry)) is not AesGcm cipher)
        {
            return EntryOpening.UnknownKey;
        }

        int length = entry.Length - OverheadBytes;
        Span<byte> to = output.GetSpan(length)[..length];
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        WriteAssociated(associated, entry, place);
        try
        {
            cipher.Decrypt(
                entry.Slice(NonceAt, NonceBytes), entry[HeaderBytes..^BlockCipher.TagBytes],
                entry[^BlockCipher.TagBytes..], to, associated);
        }
        catch (AuthenticationTagMismatchException)
        {
            return EntryOpening.Tampered;
        }

        output.Advance(length);
        return EntryOpening.Opened;
    }

    private AesGcm? CipherOf(uint keyId)
    {
        if (_ciphers.TryGetValue(keyId, out AesGcm? cipher))
        {
            return cipher;
        }

        if (keys.Find(keyId) is not DataKey key)
        {
            return null;
        }

        Span<byte> salt = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(salt, partition.Value);
        cipher = key.Derive(salt, "quorate entries 1"u8);
        _ciphers.Add(keyId, cipher);
        return cipher;
    }

    private void WriteNonce(Span<byte> to)
    {
        if (!_hasSalt || _counter >= entriesPerSalt)
        {
            entropy.Fill(_salt);
            _hasSalt = true;
            _counter = 0;
        }

        _salt.CopyTo(to);
        BinaryPrimitives.WriteUInt32LittleEndian(to[SaltBytes..], _counter++);
    }

    private void WriteAssociated(Span<byte> to, ReadOnlySpan<byte> entry, ReadToken place)
    {
        entry[..NonceAt].CopyTo(to);
        BinaryPrimitives.WriteUInt32LittleEndian(to[PartitionAt..], partition.Value);
        if (Guards.EntriesNameTheirPlace)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(to[TermAt..], place.Term.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(to[IndexAt..], place.Index.Value);
        }
        else
        {
            to[TermAt..].Clear();
        }
    }
}

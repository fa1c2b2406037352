using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;

namespace Quorate.Storage.Log;

/// <summary>
/// What a log's headers and chains are mixed with: drawn once for each log and kept beside its segments, never sent
/// anywhere. Segments are recycled with their clients' values in them, so without it a client could store what looks
/// like a header of the log and have the next start refuse the disk as damaged (pitfall S1).
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogSecret(ulong Value)
{
    public const int Bytes = sizeof(ulong);

    /// <summary>With what checksums begin.</summary>
    public ulong Seed => Guards.HeadersAreKeyed ? Value : 0;
}

/// <summary>
/// The small file beside a log's segments: its <see cref="LogSecret"/>, the newest segment that was begun, and the one
/// that counts until the newest holds something, each with its length. No segment can tell that a later one is gone, or
/// that its own end is; this file does (pitfall S8).
/// <para>Two blocks, each whole or not there, each little-endian: magic and version (4), zero (4), the newest segment
/// (8), the secret (8), how often a segment was named before (8), the segment before the newest, or zero (8), the
/// lengths of both in bytes (8 and 8), half of the MurmurHash3 of all that (8). The block that was written later
/// counts; the other one is written next, so that a torn write leaves what was said before.</para>
/// <para>Invariants: the file is durable before the first segment is made. A segment is named here before anything in
/// it is acknowledged and after its own name and length are durable, and keeps both until a later one is named here: so
/// the segment that is named always has a file of that length.</para>
/// </summary>
internal sealed class LogMark
{
    public const byte Version = 2;

    private const int NewestOffset = 8;
    private const int SecretOffset = 16;
    private const int SerialOffset = 24;
    private const int BeforeOffset = 32;
    private const int LengthOffset = 40;
    private const int BeforeLengthOffset = 48;
    private const int CheckOffset = 56;
    private const int SlotBytes = CheckOffset + sizeof(ulong);

    private readonly byte[] _block = new byte[LogBatch.BlockBytes];
    private ulong _serial;
    private int _slot;

    private LogMark(LogSecret secret, ulong newest, ulong before, ulong serial, int slot)
    {
        Secret = secret;
        Newest = newest;
        Before = before;
        _serial = serial;
        _slot = slot;
    }

    /// <summary>The file's length in bytes.</summary>
    public static int FileBytes => 2 * LogBatch.BlockBytes;

    public LogSecret Secret { get; }

    /// <summary>The newest segment that was begun; zero before the first.</summary>
    public ulong Newest { get; private set; }

    /// <summary>Its file's length in bytes; zero before the first.</summary>
    public long NewestBytes { get; private set; }

    /// <summary>The log's last segment when the newest was begun; zero when there was none.</summary>
    public ulong Before { get; private set; }

    /// <summary>Its file's length in bytes; zero when that is not known.</summary>
    public long BeforeBytes { get; private set; }

    private static ReadOnlySpan<byte> Magic => "QNM"u8;

    public static string FileName(string prefix) => prefix + "log.mark";

    /// <summary>A new log's, to be written as a whole.</summary>
    public static LogMark New(LogSecret secret) => new(secret, newest: 0, before: 0, serial: 0, slot: 0);

    /// <summary>What the file says; null when neither of its blocks is whole.</summary>
    public static LogMark? Read(ReadOnlySpan<byte> file)
    {
        LogMark? found = null;
        for (int slot = 0; slot < 2; slot++)
        {
            ReadOnlySpan<byte> block = file[Math.Min(file.Length, slot * LogBatch.BlockBytes)..];
            if (block.Length < SlotBytes
                || !block.StartsWith(Magic)
                || block[3] != Version
                || BinaryPrimitives.ReadUInt64LittleEndian(block[CheckOffset..]) != KeyHash.Of(block[..CheckOffset]))
            {
                continue;
            }

            ulong serial = BinaryPrimitives.ReadUInt64LittleEndian(block[SerialOffset..]);
            if (found is null || serial > found._serial)
            {
                ulong newest = BinaryPrimitives.ReadUInt64LittleEndian(block[NewestOffset..]);
                ulong before = BinaryPrimitives.ReadUInt64LittleEndian(block[BeforeOffset..]);
                LogSecret secret = new(BinaryPrimitives.ReadUInt64LittleEndian(block[SecretOffset..]));
                found = new(secret, newest, before, serial, slot)
                {
                    NewestBytes = BinaryPrimitives.ReadInt64LittleEndian(block[LengthOffset..]),
                    BeforeBytes = BinaryPrimitives.ReadInt64LittleEndian(block[BeforeLengthOffset..]),
                };
            }
        }

        return found;
    }

    /// <summary>Is it such a file of another version than this code's?</summary>
    public static bool IsForeign(ReadOnlySpan<byte> file) =>
        file.Length >= SlotBytes && file.StartsWith(Magic) && file[3] != Version;

    /// <summary>
    /// What was read, or drawn, to be written once more before anything acts on it, since it may be in the page cache
    /// alone (pitfall R28): the block that counts, in its own place, where no other is harmed; before the first
    /// segment the whole file.
    /// </summary>
    public ReadOnlyMemory<byte> Again(out long offset)
    {
        byte[] blocks = new byte[Newest == 0 ? FileBytes : LogBatch.BlockBytes];
        for (int at = 0; at < blocks.Length; at += LogBatch.BlockBytes)
        {
            Encode(blocks.AsSpan(at));
        }

        offset = Newest == 0 ? 0 : _slot * (long)LogBatch.BlockBytes;
        return blocks;
    }

    /// <summary>
    /// Names a segment that is begun behind another, or behind none (zero): what is to be written for it, and at which
    /// byte of the file. The bytes stay as they are until the next call.
    /// </summary>
    /// <param name="bytes">The length of its file.</param>
    /// <param name="before">The log's last segment.</param>
    public ReadOnlyMemory<byte> Begin(ulong segment, long bytes, ulong before, out long offset)
    {
        BeforeBytes = before == Newest ? NewestBytes : before == Before ? BeforeBytes : 0;
        (Newest, NewestBytes, Before) = (segment, bytes, before);
        _serial++;
        _slot = 1 - _slot;
        offset = _slot * (long)LogBatch.BlockBytes;
        Encode(_block);
        return _block;
    }

    private void Encode(Span<byte> block)
    {
        Magic.CopyTo(block);
        block[3] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(block[NewestOffset..], Newest);
        BinaryPrimitives.WriteUInt64LittleEndian(block[SecretOffset..], Secret.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(block[SerialOffset..], _serial);
        BinaryPrimitives.WriteUInt64LittleEndian(block[BeforeOffset..], Before);
        BinaryPrimitives.WriteInt64LittleEndian(block[LengthOffset..], NewestBytes);
        BinaryPrimitives.WriteInt64LittleEndian(block[BeforeLengthOffset..], BeforeBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(block[CheckOffset..], KeyHash.Of(block[..CheckOffset]));
    }
}

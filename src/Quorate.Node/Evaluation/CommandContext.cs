using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Node.Evaluation;

/// <summary>
/// How far a command has come that looks at more rows than one turn may. Rows may change between its pieces: each row
/// is seen whole, not all at one moment. A piece may be run again, so nobody changes it.
/// </summary>
/// <param name="Next">The row key to go on at.</param>
/// <param name="Count">Keys counted so far.</param>
/// <param name="Found">Keys found in the last piece.</param>
/// <param name="KeyBytes">Of the keys found so far.</param>
/// <param name="Before">Where the piece before the last ended; null when there was none.</param>
public sealed record CommandProgress(
    byte[] Next, long Count, IReadOnlyList<byte[]> Found, long KeyBytes, CommandProgress? Before)
{
    /// <summary>The keys found so far, in order: each piece's stand where it left them, and are not copied.</summary>
    public IEnumerable<byte[]> Keys()
    {
        var pieces = new Stack<IReadOnlyList<byte[]>>();
        for (CommandProgress? piece = this; piece is not null; piece = piece.Before)
        {
            pieces.Push(piece.Found);
        }

        return pieces.SelectMany(static found => found);
    }
}

/// <summary>
/// What a command may look at and change while it is evaluated. It looks through the changes of the commands before it
/// in the same batch.
/// <para>A look at a cold row returns false. The command must then return at once: its changes and its reply are
/// thrown away, the rows are fetched, and it is run again from the beginning. So a command's outcome depends on its
/// words, the rows and the time alone.</para>
/// </summary>
public abstract class CommandContext
{
    private byte[] _rowKey = [];

    public abstract CommandLine Line { get; }

    public abstract Reply Reply { get; }

    /// <summary>
    /// The time of the entry that will carry this command's changes, or of the read. A row whose expiry has come by
    /// then does not exist.
    /// </summary>
    public abstract HybridTime Time { get; }

    /// <summary>
    /// When a key that is made without an expiry expires by the keyspace's default, in milliseconds since 1970; zero
    /// when never.
    /// </summary>
    public abstract long DefaultExpiry { get; }

    /// <summary>
    /// The version that the next change will have. A collection is named by the version of its creation, which is its
    /// generation.
    /// </summary>
    public abstract RowVersion NextVersion { get; }

    /// <summary>
    /// A row's version as clients see it; false when that can not be told here, as if the row were cold.
    /// </summary>
    public abstract bool TryVersionOf(RowVersion row, out ValueVersion version);

    /// <summary>
    /// What a command draws its random choices from. It changes from command to command, and is the same when a
    /// command is run again because rows were cold.
    /// </summary>
    public abstract ulong Seed { get; }

    /// <summary>
    /// Looks a row up; false when it is cold. An absent or expired row is a tombstone of version zero.
    /// </summary>
    public abstract bool TryGet(ReadOnlySpan<byte> rowKey, out Row row);

    /// <summary>Shows the rows of a range, tombstones left out; false when a part of it is cold.</summary>
    public abstract bool TryScan(in RowRange range, IRowVisitor visitor);

    /// <summary>
    /// As many rows were looked at as a piece of a command may: one that can go on elsewhere does so.
    /// </summary>
    public abstract bool HasSeenMuch { get; }

    /// <summary>The command may end with <see cref="Pause"/> and is then run again, with that progress.</summary>
    public abstract bool MayPause { get; }

    /// <summary>Where the command's last piece ended; null when this is its first.</summary>
    public abstract CommandProgress? Progress { get; }

    /// <summary>Ends a piece of a command, which has written no reply.</summary>
    public abstract void Pause(CommandProgress progress);

    /// <summary>
    /// Whether a string of so many bytes may be made of what stands there; if not that is answered. To be asked before
    /// it is made.
    /// </summary>
    public abstract bool MayCompose(long bytes);

    /// <summary>Whether the request may change so many rows more, and one header.</summary>
    public abstract bool HasRoomFor(long changes);

    /// <summary>
    /// A row was cold, and the command may go on from here once it is fetched: what it has passed is not looked at
    /// again, nor held. It does nothing where the command may not pause, or has seen little since its last piece.
    /// </summary>
    public abstract void GoOnFrom(Func<CommandProgress> progress);

    /// <summary>Writes a row.</summary>
    public abstract void Put(ReadOnlySpan<byte> rowKey, RowType type, long expiry, ReadOnlySpan<byte> value);

    /// <summary>Deletes a row, whether it is there or not.</summary>
    public abstract void Delete(ReadOnlySpan<byte> rowKey);

    /// <summary>Deletes all user rows of the partition.</summary>
    public abstract void ClearAll();

    /// <summary>
    /// The row key of a word that is a key. It holds until this is asked again; nothing is allocated.
    /// </summary>
    public ReadOnlySpan<byte> RowKeyOf(int word)
    {
        ReadOnlySpan<byte> key = Line[word];
        int bytesMax = RowKey.BytesMax(key.Length, 0);
        if (_rowKey.Length < bytesMax)
        {
            _rowKey = new byte[2 * bytesMax];
        }

        return _rowKey.AsSpan(0, RowKey.Write(_rowKey, key));
    }

    /// <summary>The command exceeds a limit: it answers with this error, and changes nothing.</summary>
    public abstract void Refuse(string error);

    /// <summary>
    /// The whole request comes to nothing, whatever the commands before this one in its batch have done: its only reply
    /// is null.
    /// </summary>
    public abstract void Abandon();
}

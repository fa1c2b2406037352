using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;
using Quorate.Server.Resp.ClusterMode;

namespace Quorate.Server.Resp.Commands;

/// <summary>
/// SCAN, from partition to partition. The cursor is a number that this node knows (<see cref="ScanCursors"/>).
/// </summary>
internal static class ScanCommands
{
    /// <summary>Empty partitions that one SCAN passes by, before it answers with what it has: nothing.</summary>
    private const int PartitionsAtOnce = 64;

    private const string UnknownCursor = "ERR invalid cursor: this node does not know it, or no longer; cursors are "
        + "good on the node and in the keyspace that gave them. Begin again with 0";

    public static readonly EdgeCommand[] All =
    [
        new("SCAN", -2, EdgeHabits.None, Scan),
    ];

    private static void Scan(RespRequest request)
    {
        ReadOnlySpan<byte> word = request.Line[1];
        if (!Utf8Parser.TryParse(word, out ulong cursor, out int length) || length != word.Length)
        {
            request.Error("ERR invalid cursor");
            return;
        }

        if (!Dispatch.TryKeyspaceOf(request, makes: false, writes: false, out KeyspaceView? chosen))
        {
            return;
        }

        if (chosen is not { } keyspace)
        {
            request.Finish(cursor == 0
                ? Dispatch.EmptyReply(request, request.OwnLines(), isBatch: false)
                : Replies.Error(UnknownCursor));
            return;
        }

        var place = new ScanPlace(keyspace.Record.Id, 0, "0"u8.ToArray());
        if (cursor != 0)
        {
            if (!request.Connection.Shared.Cursors.TryFind(cursor, out ScanPlace? found)
                || found.Keyspace != keyspace.Record.Id)
            {
                request.Error(UnknownCursor);
                return;
            }

            place = found;
        }

        var steps = new Steps(keyspace, place, SlotOwners.OwnOf(request.Connection, keyspace));
        request.Steps = steps;
        steps.Ask(request);
    }

    private sealed class Steps(KeyspaceView keyspace, ScanPlace from, IReadOnlyList<PartitionRecord> own) : RequestSteps
    {
        private readonly bool[] _isOwn = [.. keyspace.Partitions.Select(own.Contains)];
        private ScanPlace _place = from;
        private int _asked;

        public void Ask(RespRequest request)
        {
            CommandLine line = request.Line;
            var words = new ReadOnlyMemory<byte>[line.Count];
            for (int i = 0; i < words.Length; i++)
            {
                words[i] = i == 1 ? _place.Position : line.Word(i);
            }

            _asked++;
            while (!_isOwn[Math.Min(_place.Partition, _isOwn.Length - 1)] && _place.Partition < _isOwn.Length)
            {
                _place = new(_place.Keyspace, _place.Partition + 1, "0"u8.ToArray());
            }

            if (_place.Partition >= _isOwn.Length)
            {
                request.Finish("*2\r\n$1\r\n0\r\n*0\r\n"u8.ToArray());
                return;
            }

            PartitionRecord partition = keyspace.Partitions[Math.Min(_place.Partition, keyspace.Partitions.Count - 1)];
            request.Call.IsWide = true;
            request.Connection.Calls.Ask(
                request.Call,
                keyspace,
                new Slot((ushort)partition.FirstSlot),
                [new CommandLine(words)],
                writes: false);
        }

        public override void Next(RespRequest request)
        {
            if (!TryTake(request, out byte[] position, out ReadOnlyMemory<byte> keys))
            {
                return;
            }

            bool isAtEnd = position.AsSpan().SequenceEqual("0"u8);
            _place = _place with { Partition = _place.Partition + (isAtEnd ? 1 : 0), Position = position };
            bool isOver = _place.Partition >= keyspace.Partitions.Count;
            if (!isOver && isAtEnd && _asked < PartitionsAtOnce && keys.Span.SequenceEqual("*0\r\n"u8))
            {
                Ask(request);
                return;
            }

            ulong cursor = isOver ? 0 : request.Connection.Shared.Cursors.Add(_place);
            request.Finish(Replies.Of(reply =>
            {
                reply.Array(2);
                reply.Bulk(Encoding.ASCII.GetBytes(cursor.ToString(CultureInfo.InvariantCulture)));
                reply.Raw(keys.Span);
            }));
        }
    }

    /// <summary>
    /// What a partition has answered to a SCAN: where the next piece begins, and the array of keys. False when it was
    /// an error, which is the request's reply then.
    /// </summary>
    public static bool TryTake(RespRequest request, out byte[] position, out ReadOnlyMemory<byte> keys)
    {
        (position, keys) = ([], default);
        CallResult result = request.Call.Result;
        if (result.Outcome != Outcome.Done)
        {
            request.Error(Outcomes.ErrorOf(request.Call));
            return false;
        }

        if (result.Reply.Span[0] != (byte)'*')
        {
            request.Finish(result.Reply);
            return false;
        }

        ReadOnlyMemory<byte>[] parts = ReplyParts.ElementsOf(result.Reply);
        (position, keys) = (TextOf(parts[0].Span), parts[1]);
        return true;
    }

    /// <summary>The bytes of a bulk string.</summary>
    public static byte[] TextOf(ReadOnlySpan<byte> bulk) => bulk[(bulk.IndexOf((byte)'\n') + 1)..^2].ToArray();
}

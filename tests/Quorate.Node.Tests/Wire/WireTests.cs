using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Liveness;
using Quorate.Node.Partitions;
using Quorate.Node.Tests.Cluster;
using Quorate.Node.Wire;

namespace Quorate.Node.Tests.Wire;

/// <summary>What is sent arrives as it was, and what is no message is known as such.</summary>
public sealed class WireTests
{
    private readonly SeededRandom _random = new(11);
    private readonly WireWriter _writer = new();

    [Fact]
    public void Messages_of_groups_arrive_as_they_were()
    {
        for (int i = 0; i < 3000; i++)
        {
            RaftMessage message = DrawRaft();
            var group = new GroupId((uint)_random.Next(1000));
            RaftWire.Write(_writer, group, message);
            bool isRead = RaftWire.TryRead(
                Whole(), out GroupId read, out RaftMessage arrived, out string problem);
            Assert.True(isRead, problem);
            Assert.Equal(group, read);
            Assert.Equal(Text(message), Text(arrived));
        }
    }

    [Fact]
    public void Heartbeats_calls_and_answers_arrive_as_they_were()
    {
        for (int i = 0; i < 1000; i++)
        {
            var beat = new NodeHeartbeat(
                new((uint)_random.Next(9)), Draw(), _random.Next(2) == 0, (long)Draw(), _random.Next(2) == 0,
                _random.Next(2) == 0 ? null : $"host{_random.Next(9)}:7601", (long)Draw());
            HeartbeatWire.Write(_writer, beat);
            Assert.True(HeartbeatWire.TryRead(_writer.Written, out NodeHeartbeat beatRead, out _));
            Assert.Equal(beat, beatRead);

            WriteCall(out CallHeader header, out TestCall call);
            Assert.True(CallWire.TryRead(Whole(), out CallMessage callRead, out string problem), problem);
            Assert.Equal(header, callRead.Header);
            Assert.Equal(
                (call.Slot, call.IsBatch, call.WriteLevel, call.ReadLevel, call.Token, call.Session),
                (callRead.Slot, callRead.IsBatch, callRead.WriteLevel, callRead.ReadLevel, callRead.Token,
                    callRead.Session));
            Assert.Equal(call.Lines.Select(Words), callRead.Lines.Select(Words));

            AnswerMessage answer = DrawAnswer();
            AnswerWire.Write(_writer, answer);
            Assert.True(AnswerWire.TryRead(Whole(), out AnswerMessage answerRead, out _));
            Assert.Equal(answer.Reply.ToArray(), answerRead.Reply.ToArray());
            Assert.Equal(answer with { Reply = default }, answerRead with { Reply = default });
        }
    }

    [Fact]
    public void Metadata_calls_and_answers_arrive_as_they_were()
    {
        var call = new MetadataCallMessage(
            3, 4, Duration.FromSeconds(5), new() { DropKeyspace = new() { Keyspace = 9 }, Time = 8 });
        MetadataWire.Write(_writer, call);
        Assert.True(MetadataWire.TryRead(_writer.Written, out MetadataCallMessage? callRead, out _));
        Assert.Equal(call, callRead);
        var answer = new MetadataAnswerMessage(3, 4, Outcome.Done, false, new(7), new() { Version = 5, Id = 6 });
        MetadataWire.Write(_writer, answer);
        Assert.True(MetadataWire.TryRead(_writer.Written, out MetadataAnswerMessage answerRead, out _));
        Assert.Equal(answer, answerRead);
    }

    [Fact]
    public void Every_beginning_of_a_message_and_every_longer_one_is_refused()
    {
        foreach (byte[] message in Samples())
        {
            for (int length = 2; length < message.Length; length++)
            {
                Assert.False(TryRead(message[..length]), $"kind {message[0]} cut to {length}");
            }

            Assert.True(TryRead(message));
            Assert.False(TryRead([.. message, 0]));
        }
    }

    [Fact]
    public void Changed_bytes_do_no_harm_and_take_no_memory_beyond_the_message()
    {
        byte[][] samples = [.. Samples()];
        long before = GC.GetAllocatedBytesForCurrentThread();
        long bytes = 0;
        for (int i = 0; i < 60_000; i++)
        {
            byte[] message = [.. samples[i % samples.Length]];
            for (long changes = 1 + _random.Next(3); changes > 0; changes--)
            {
                int at = 1 + (int)_random.Next(message.Length - 1);
                message[at] = _random.Next(3) == 0 ? (byte)0xFF : (byte)_random.Next(256);
            }

            bytes += message.Length;
            TryRead(message);
        }

        // A count or length that is believed would take megabytes at once.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (200 * bytes) + 100_000_000);
    }

    [Fact]
    public void A_length_that_can_not_be_takes_no_memory()
    {
        WriteCall(out _, out _);
        byte[] message = Whole();
        CallWire.Write(_writer, default, new TestCall("GET k"));
        byte[] small = Whole();
        int lines = small.Length - 4 - 4 - 4 - 3 - 4 - 1;
        BitConverter.TryWriteBytes(small.AsSpan(lines), 1_000_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(CallWire.TryRead(small, out _, out string problem));
        Assert.Contains("do not fit", problem, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
        Assert.NotEmpty(message);
    }

    [Fact]
    public void Entries_that_can_not_follow_are_refused()
    {
        var message = new RaftMessage
        {
            Kind = MessageKind.AppendRequest, From = new(1, 1), To = new(2, 1), Term = new(5), LogTerm = new(3),
            Index = new(10), Entries = [new(new(11), new(4), EntryKind.Data, new byte[3])],
        };
        Assert.True(Arrives(message));
        Assert.False(Arrives(With(message, new Entry(new(11), new(6), EntryKind.Data, default))), "of a later term");
        Assert.False(Arrives(With(message, new Entry(new(11), new(2), EntryKind.Data, default))), "of an earlier term");
        Assert.False(Arrives(With(message, new Entry(new(11), new(4), (EntryKind)9, default))), "of no kind");
        Assert.False(
            Arrives(With(message, new Entry(new(11), new(4), EntryKind.Membership, new byte[2]))), "no membership");
    }

    private static RaftMessage With(in RaftMessage message, Entry entry) => new()
    {
        Kind = message.Kind, From = message.From, To = message.To, Term = message.Term, LogTerm = message.LogTerm,
        Index = message.Index, Entries = [entry],
    };

    private bool Arrives(in RaftMessage message)
    {
        RaftWire.Write(_writer, new(2), message);
        return RaftWire.TryRead(Whole(), out _, out _, out _);
    }

    private static bool TryRead(byte[] message) => (PeerMessageKind)message[0] switch
    {
        PeerMessageKind.Raft => RaftWire.TryRead(message, out _, out _, out _),
        PeerMessageKind.Heartbeat => HeartbeatWire.TryRead(message, out _, out _),
        PeerMessageKind.Call => CallWire.TryRead(message, out _, out _),
        PeerMessageKind.Answer => AnswerWire.TryRead(message, out _, out _),
        PeerMessageKind.MetadataCall => MetadataWire.TryRead(message, out MetadataCallMessage? _, out _),
        _ => MetadataWire.TryRead(message, out MetadataAnswerMessage _, out _),
    };

    private IEnumerable<byte[]> Samples()
    {
        for (int i = 0; i < 60; i++)
        {
            RaftWire.Write(_writer, new(3), DrawRaft());
            yield return Whole();
        }

        for (int i = 0; i < 10; i++)
        {
            WriteCall(out _, out _);
            yield return Whole();
            AnswerWire.Write(_writer, DrawAnswer());
            yield return Whole();
        }

        HeartbeatWire.Write(_writer, new(new(1), 2, true, 3));
        yield return Whole();
        MetadataWire.Write(_writer, new MetadataCallMessage(
            1, 2, Duration.FromSeconds(1), KeyspaceTests.Creation("sample")));
        yield return Whole();
        MetadataWire.Write(_writer, new MetadataAnswerMessage(1, 2, Outcome.Refused, true, new(3), null));
        yield return Whole();
    }

    private ulong Draw() => _random.NextUInt64() >> (int)_random.Next(60);

    private RaftMessage DrawRaft()
    {
        var kind = (MessageKind)_random.Between(1, 15);
        var term = new Term(100 + (ulong)_random.Next(10));
        var index = new LogIndex((ulong)_random.Next(1000));
        Membership membership = Membership.Of([new(1, 1), new(2, 1)], [new(new(3, 2), LearnerKind.Standing)]);
        Entry[] entries =
        [
            .. Enumerable.Range(1, (int)_random.Next(5)).Select(i => i == 2
                ? new Entry(index + (ulong)i, term, EntryKind.Membership, membership.Encode())
                : new Entry(index + (ulong)i, term, EntryKind.Data, Bytes(50))),
        ];
        bool isOfSnapshot = kind is MessageKind.SnapshotChunk or MessageKind.SnapshotResponse;
        return new()
        {
            Kind = kind,
            From = new(1, (uint)_random.Between(1, 3)),
            To = new(2, 1),
            Term = term,
            Index = index,
            LogTerm = new((ulong)_random.Next(100)),
            Commit = new(Draw()),
            Reject = _random.Next(2) == 0,
            HintIndex = new(_random.Next(2) == 0 ? 0 : Draw()),
            HintTerm = new(Draw()),
            Round = Draw(),
            SentAt = new((long)Draw()),
            Entries = kind == MessageKind.AppendRequest ? entries : null,
            Snapshot = kind == MessageKind.SnapshotChunk
                ? new(new(Draw()), new(7), new(3), membership, [new(new(1), new(1)), new(new(7), new(9))])
                : null,
            SnapshotOffset = isOfSnapshot ? _random.Next(1 << 30) : 0,
            Chunk = isOfSnapshot ? Bytes(100) : default,
            Done = _random.Next(2) == 0,
            Force = _random.Next(2) == 0,
        };
    }

    private static string Text(in RaftMessage message)
    {
        var text = new StringBuilder();
        text.Append(message.Kind).Append(message.From).Append(message.To).Append(message.Term).Append(message.Index)
            .Append(message.LogTerm).Append(message.Commit).Append(message.Reject).Append(message.HintIndex)
            .Append(message.HintTerm).Append(message.Round).Append(message.SentAt).Append(message.Snapshot)
            .Append(message.SnapshotOffset).Append(message.Done).Append(message.Force)
            .Append(Convert.ToHexString(message.Chunk.Span));
        foreach (TermStart start in message.Snapshot?.TermStarts ?? [])
        {
            text.Append(start);
        }

        foreach (Entry entry in message.Entries ?? [])
        {
            text.Append(entry).Append(entry.Kind).Append(Convert.ToHexString(entry.Payload.Span));
        }

        return text.ToString();
    }

    private AnswerMessage DrawAnswer()
    {
        var outcome = (Outcome)_random.Next(3);
        return new(
            Draw(), Draw(), outcome, (DropReason)_random.Next(20), outcome == Outcome.Refused && _random.Next(2) == 0,
            new((uint)_random.Next(5)), new(new(Draw()), new(Draw())), new(Draw()), Bytes(80));
    }

    private void WriteCall(out CallHeader header, out TestCall call)
    {
        header = new(
            Draw(), Draw(), new((uint)_random.Next(99)), Draw(), (uint)_random.Next(99),
            new(_random.Next(5_000_000)));
        call = new($"SET k{_random.Next(99)} {new string('v', (int)_random.Next(40))}")
        {
            IsBatch = _random.Next(2) == 0,
            WriteLevel = new((WriteLevelKind)_random.Next(4), (int)_random.Next(5)),
            ReadLevel = (ReadLevel)_random.Next(3),
            Token = new(new(Draw()), new(Draw())),
            Session = _random.Next(2) == 0 ? null : new SessionRequest(Draw(), Draw(), Draw()),
        };
        CallWire.Write(_writer, header, call);
    }

    private byte[] Bytes(int max)
    {
        byte[] bytes = new byte[_random.Next(max)];
        foreach (ref byte next in bytes.AsSpan())
        {
            next = (byte)_random.Next(256);
        }

        return bytes;
    }

    private static string Words(CommandLine line) => string.Join(
        ' ', Enumerable.Range(0, line.Count).Select(word => Convert.ToHexString(line[word])));

    private byte[] Whole() => [.. _writer.Written, .. _writer.Tail.Span];
}
